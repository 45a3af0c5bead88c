/** What a run is about to do: who asks, as of when, whom, and for which windows. `export` does it, `plan` shows it. */
import type { Logger } from 'pino';
import { type Aws, createAws } from './aws/aws.ts';
import type { Planned } from './drain.ts';
import { UsageError } from './errors.ts';
import { type Lake, openLake } from './lake/lake.ts';
import { bucketOf } from './lake/layout.ts';
import { openStore } from './lake/stores/open.ts';
import { newRunId } from './ledger/runs.ts';
import { readWatermarks, type Watermark, watermarkName, windowFor } from './ledger/watermarks.ts';
import type { Settings } from './settings.ts';
import { identifyCaller } from './targets/caller.ts';
import { assumedRole } from './targets/credentials.ts';
import type { Caller, Target } from './targets/target.ts';
import { planTargets } from './targets/targets.ts';

export interface Planning {
  readonly aws: Aws;
  readonly caller: Caller;
  /** Milliseconds since the epoch, AWS's time. */
  readonly asOf: number;
  /** Where STS was asked. */
  readonly homeRegion: string;
  readonly runId: string;
  readonly lake: Lake;
  readonly targets: readonly Target[];
  readonly planned: readonly Planned[];
  close(): Promise<void>;
}

export interface PlanningIo {
  readonly log: Logger;
  readonly programVersion: string;
  /** `read` leaves no trace. */
  readonly mode: 'write' | 'read';
  readonly stopping: AbortSignal;
}

/** The lake is opened, and proven writable in mode `write`, before any target is asked for anything. */
export async function makePlan(settings: Settings, io: PlanningIo): Promise<Planning> {
  const aws = createAws({ endpointUrl: settings.endpointUrl, maxSockets: settings.concurrency });
  const { caller, asOf, credentials, region } = await identifyCaller(aws);
  const runId = newRunId(asOf, Date.now());
  const log = io.log.child({ run_id: runId });

  const store = await openStore(settings.lake, {
    create: io.mode === 'write',
    endpointUrl: settings.s3EndpointUrl,
    kmsKeyId: settings.kmsKeyId,
    expectedBucketOwner: settings.expectedBucketOwner,
    log,
    ...(settings.lakeRoleArn === null
      ? { credentials }
      : {
          credentials: assumedRole(aws, credentials, region, {
            roleArn: settings.lakeRoleArn,
            sessionName: settings.roleSessionName,
            externalId: settings.externalId,
          }),
        }),
  });
  try {
    const lake = await openLake({
      store,
      buckets: settings.buckets,
      allowUnsafeStore: settings.allowUnsafeStore,
      runId,
      programVersion: io.programVersion,
      now: new Date(asOf).toISOString(),
      mode: io.mode,
    });
    const targets = await planTargets({ ...settings, aws, caller, credentials, homeRegion: region });
    const planned = await planWindows(lake, targets, settings, asOf, log);
    const close = async () => {
      await store.close();
      aws.close();
    };
    return { aws, caller, asOf, homeRegion: region, runId, lake, targets, planned, close };
  } catch (error) {
    await store.close();
    aws.close();
    throw error;
  }
}

async function planWindows(
  lake: Lake,
  targets: readonly Target[],
  settings: Settings,
  asOf: number,
  log: Logger,
): Promise<Planned[]> {
  const to = settings.until.kind === 'as-of' ? asOf : Math.min(settings.until.epochMs, asOf);
  const memory = { asOf, memoryDays: settings.memoryDays, fullEveryMs: settings.fullEveryMs };
  const marks = settings.tables.includes('copy_jobs')
    ? await watermarksOf(lake, targets, log)
    : new Map<string, Watermark>();
  return targets.flatMap((target) =>
    settings.tables.map((table): Planned => {
      if (table === 'copy_job_summaries') return { table, target, window: null };
      const mark = marks.get(watermarkName(table, target.accountId, target.region));
      const window = windowFor(settings.since, to, mark, memory);
      if (window.from !== null && window.from >= window.to)
        return { table, target, window: nothing(settings, window.to) };
      return { table, target, window };
    }),
  );
}

/** With `auto` an `--until` in the past may leave nothing to read; a `--since` after the end is a mistake. */
function nothing(settings: Settings, to: number) {
  if (settings.since.kind === 'auto') return { from: to, to };
  throw new UsageError(
    `--since lies at or after the end of the window, ${new Date(to).toISOString()} (as-of, or --until)`,
    'Give an earlier --since; the end is never later than AWS’s present time.',
  );
}

/** The marks of all buckets that the targets' accounts fall into. */
async function watermarksOf(
  lake: Lake,
  targets: readonly Target[],
  log: Logger,
): Promise<ReadonlyMap<string, Watermark>> {
  const buckets = [...new Set(targets.map(({ accountId }) => bucketOf(accountId, lake.buckets)))].sort();
  const marks = new Map<string, Watermark>();
  for (const bucket of buckets) {
    const read = await readWatermarks(lake.store, bucket);
    for (const [name, mark] of read.marks) marks.set(name, mark);
    if (read.damage !== null) {
      log.warn({ bucket, damage: read.damage }, 'watermarks are damaged: everything is read again');
    } else if (read.etag === null && !lake.isNew) {
      log.warn({ bucket }, 'no watermarks: everything is read');
    }
  }
  return marks;
}
