/**
 * The `repair` job: verifies a lake, finds for each damage what can be done, and with `--apply` does it. It runs with a
 * person's rights: it reads the bucket's versions, and writes objects back.
 */
import { type Aws, createAws } from '../aws/aws.ts';
import { readPublicKey } from '../checkpoints/keys.ts';
import { checkpointsPrefix, parseRunKey } from '../lake/layout.ts';
import { lakeCredentials, openLakeStore } from '../lake/stores/open-lake-store.ts';
import { openStore } from '../lake/stores/open-store.ts';
import { connectS3, type S3Connection } from '../lake/stores/s3-client.ts';
import type { Store } from '../lake/stores/store.ts';
import { ReportedError } from '../shared/errors.ts';
import type { JobIo } from '../telemetry/job-io.ts';
import type { Finding } from '../verify/finding.ts';
import { applyStep, type RepairTarget } from './apply-step.ts';
import { type BucketVersions, bucketVersions } from './bucket-versions.ts';
import { type LookedAt, type PlanOptions, planRepair, type Step } from './plan-repair.ts';
import { refuseRunsAtWork, refuseRunsSince } from './quiet-lake.ts';
import type { RepairedObject, RepairOutcome, RepairReport } from './repair-report.ts';
import type { RepairSettings } from './repair-settings.ts';
import { type ContentSource, copySource } from './sources.ts';

export interface RepairIo extends Pick<JobIo, 'log' | 'progress' | 'stopping'> {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** What is wrong with the lake now. */
  readonly verify: () => Promise<LookedAt>;
}

/** What was put back can show more damage: a restored checkpoint names parts that are gone. Each look goes one step deeper. */
const mostLooks = 12;
const mostTries = 3;

/** @throws UsageError, LakeError, AccessError; the signal's reason */
export async function runRepair(settings: RepairSettings, io: RepairIo): Promise<RepairReport> {
  const opened = await openAll(settings, io);
  try {
    return await repaired(settings, io, opened);
  } finally {
    await opened.close();
    io.progress.stop();
  }
}

interface Opened {
  readonly store: Store;
  readonly sources: readonly ContentSource[];
  /** Null: a local lake. */
  readonly versions: BucketVersions | null;
  close(): Promise<void>;
}

async function openAll(settings: RepairSettings, { log, stopping: signal }: RepairIo): Promise<Opened> {
  const { lake, s3EndpointUrl, expectedBucketOwner } = settings;
  const toClose: (() => unknown)[] = [];
  const close = async () => {
    for (const one of toClose.reverse()) await one();
  };
  const aws = (): Aws => {
    const made = createAws({ endpointUrl: settings.endpointUrl, maxSockets: 4 });
    toClose.push(() => made.close());
    return made;
  };
  const copyAt = async (
    location: RepairSettings['backup'],
    name: 'witness' | 'backup',
    holds?: (key: string) => boolean,
  ) => {
    if (location === null) return [];
    const option = `--${name}`;
    const options = { create: false, option, endpointUrl: s3EndpointUrl, expectedBucketOwner: null, log };
    const store = await openStore(location, options);
    toClose.push(() => store.close());
    return [copySource(store, `the ${name}`, holds)];
  };
  try {
    const store = await openLakeStore(settings, { create: settings.apply, aws, log, signal });
    toClose.push(() => store.close());
    let versions: BucketVersions | null = null;
    if (lake.kind === 's3') {
      const credentials = await lakeCredentials(settings, { aws, signal });
      const s3: S3Connection = connectS3({
        bucket: lake.bucket,
        endpointUrl: s3EndpointUrl,
        expectedBucketOwner,
        ...(credentials === undefined ? {} : { credentials }),
        log,
      });
      toClose.push(() => s3.close());
      const prefix = lake.prefix === '' ? '' : `${lake.prefix}/`;
      versions = bucketVersions({
        s3,
        bucket: lake.bucket,
        prefix,
        expectedBucketOwner,
        encryption: settings,
      });
    }
    const isCheckpoint = (key: string) => key.startsWith(checkpointsPrefix);
    const sources = [
      ...(await copyAt(settings.witness, 'witness', isCheckpoint)),
      ...(versions === null ? [] : [versions]),
      ...(await copyAt(settings.backup, 'backup')),
    ];
    return { store, sources, versions, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function repaired(settings: RepairSettings, io: RepairIo, opened: Opened): Promise<RepairReport> {
  const { progress, stopping: signal } = io;
  const { store, sources, versions } = opened;
  const keys = settings.publicKeys.map(readPublicKey);
  const options: PlanOptions = {
    store,
    keys,
    sources,
    keepsDeleted: versions !== null && (await versions.keepsDeleted(signal)),
    now: io.now(),
    signal,
  };
  const target: RepairTarget = {
    store,
    etagOf: async (key) =>
      versions === null ? ((await store.read(key, signal))?.etag ?? null) : versions.etagOf(key, signal),
    writeOverMarker: async (key, content) => (await versions?.writeOverMarker(key, content, signal)) ?? false,
    hide: async (key, etag) => (await versions?.hide(key, etag, signal)) ?? false,
    signal,
  };
  const { ignoreUnfinishedRuns } = settings;
  const known = new Set(
    settings.apply ? await refuseRunsAtWork(store, { ignoreUnfinishedRuns, localNow: io.now, signal }) : [],
  );
  const objects = new Map<string, RepairedObject>();
  const tries = new Map<string, number>();
  let findings: readonly Finding[] = [];
  let unread: LookedAt['unread'] = new Map();
  let looks = 0;
  for (let again = true; again && looks < mostLooks; ) {
    again = false;
    looks += 1;
    const look = await io.verify();
    ({ findings, unread } = look);
    if (settings.apply && findings.length > 0) await refuseRunsSince(known, store, signal);
    progress.phase('looking for what was lost');
    for await (const step of planRepair(look, options)) {
      const { key } = step;
      const tried = tries.get(key) ?? 0;
      // What is still wrong after that would be tried for ever.
      if (tried === mostTries) continue;
      tries.set(key, tried + 1);
      const outcome = settings.apply ? await applied(step, target, io) : planned(step);
      // What changed may be sound by now.
      if (outcome === 'changed') again = true;
      if (isDone(outcome)) {
        again = true;
        const restored = parseRunKey(key);
        if (restored !== null) known.add(restored.runId);
      }
      const advice = outcome === 'changed' ? whenChanged : step.advice;
      objects.set(key, { key, found: step.findings.map(({ kind }) => kind), outcome, advice });
    }
  }
  for (const [key, why] of unread) {
    const advice = `it could not be read: ${why}`.replace(/\.$/, '');
    objects.set(key, { key, found: [], outcome: 'unread', advice });
  }
  const damage = findings.filter(({ severity }) => severity === 'damage').length;
  return {
    exit_code: damage > 0 ? 80 : unread.size > 0 ? 74 : 0,
    lake: store.url,
    applied: settings.apply,
    looks,
    objects: [...objects.values()],
    damage_left: damage,
    warnings_left: findings.length - damage,
  };
}

const whenChanged =
  'it changed after verify had read it, so nothing was written. Make sure that no export is at work, then run repair again';

const wouldBe = { restore: 'would-restore', hide: 'would-hide', reset: 'would-reset' } as const;
const done = { restore: 'restored', hide: 'hidden', reset: 'reset' } as const;

function planned({ action }: Step): RepairOutcome {
  return action.kind === 'none' ? action.outcome : wouldBe[action.kind];
}

function isDone(outcome: RepairOutcome): boolean {
  return outcome === 'restored' || outcome === 'hidden' || outcome === 'reset';
}

/** A step that fails costs no other. */
async function applied(step: Step, target: RepairTarget, { log }: RepairIo): Promise<RepairOutcome> {
  const { key, action } = step;
  if (action.kind === 'none') return action.outcome;
  try {
    if ((await applyStep(step, target)) === 'changed') {
      log.warn({ key, how: action.kind }, 'an object changed after it was verified, and is left as it is');
      return 'changed';
    }
    log.info(
      { key, how: action.kind, findings: step.findings.map(({ kind }) => kind) },
      'repaired an object',
    );
    return done[action.kind];
  } catch (error) {
    if (!(error instanceof ReportedError)) throw error;
    log.error({ key, err: error }, 'an object could not be repaired');
    return 'failed';
  }
}
