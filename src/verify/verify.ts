/** The `verify` job: reads a lake again and compares it with its ledger. It writes nothing to the lake. */
import { randomUUID } from 'node:crypto';
import { type Aws, createAws } from '../aws/aws.ts';
import { readPublicKey, type TrustedKey } from '../checkpoints/keys.ts';
import { parseTableKey, type TableKey } from '../lake/layout.ts';
import { openScratch } from '../lake/scratch.ts';
import { openLakeStore } from '../lake/stores/open-lake-store.ts';
import { openStore } from '../lake/stores/open-store.ts';
import type { Store } from '../lake/stores/store.ts';
import { releaseMemory } from '../shared/release-memory.ts';
import { copyJobs } from '../tables/copy-jobs.ts';
import { exportCoverage } from '../tables/export-coverage.ts';
import { lakeTables } from '../tables/lake-tables.ts';
import { type Row, type Table, utcDay } from '../tables/table.ts';
import type { JobIo } from '../telemetry/job-io.ts';
import { count } from '../telemetry/paragraphs.ts';
import { emptyWhereAltered } from './altered-objects.ts';
import { CreationDateConflicts, readAllCreationDates } from './check-creation-dates.ts';
import {
  checkBeginRecords,
  checkLakeRecord,
  checkLedgerNames,
  checkRejected,
  readAllWatermarks,
  refuseRebucketing,
} from './check-ledger-files.ts';
import { checkTable, type ObjectsToCheck, secondLook } from './check-objects.ts';
import { CoverageRead, checkWatermarks } from './check-watermarks.ts';
import { KeySpill } from './key-spill.ts';
import { type Ledger, readLedger } from './ledger.ts';
import { Look } from './look.ts';
import { reportOf } from './make-verify-report.ts';
import type { OnUnread } from './read-object.ts';
import { type LookIdentity, type Place, readPlace, writePlace } from './resume-place.ts';
import { isInScope, isInSubset, type Scope, subsetOf } from './scope.ts';
import { type Sightings, watched } from './sightings.ts';
import { checkSignedState } from './signed-state.ts';
import type { VerifyReport } from './verify-report.ts';
import type { VerifySettings } from './verify-settings.ts';
import { proofColumns } from './watermark-proof.ts';
import { manifestsInCheckpoint, type WitnessedManifests } from './witnessed-manifests.ts';

export interface VerifyIo extends Pick<JobIo, 'log' | 'progress' | 'stopping' | 'programVersion'> {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told of every object that is read. */
  readonly sightings?: Pick<Sightings, 'note'>;
  /** Told of a part that the store refuses, while it may give others. Without it, such a part ends the look. */
  readonly onUnread?: OnUnread;
}

/** @throws UsageError, LakeError, ScratchError, AccessError; the signal's reason */
export async function runVerify(settings: VerifySettings, io: VerifyIo): Promise<VerifyReport> {
  const keys = settings.publicKeys.map(readPublicKey);
  let aws: Aws | undefined;
  let witness: Store | null = null;
  const opened = await openLakeStore(settings, {
    create: false,
    aws: () => {
      aws = createAws({ endpointUrl: settings.endpointUrl, maxSockets: 8 });
      return aws;
    },
    log: io.log,
    signal: io.stopping,
  });
  const store = emptyWhereAltered(io.sightings === undefined ? opened : watched(opened, io.sightings));
  try {
    if (settings.witness !== null) {
      const { s3EndpointUrl: endpointUrl } = settings;
      witness = await openStore(settings.witness, {
        create: false,
        option: '--witness',
        endpointUrl,
        expectedBucketOwner: null,
        log: io.log,
      });
    }
    const scratch = await openScratch({
      parent: settings.scratch,
      runId: randomUUID(),
      limitBytes: settings.scratchLimitBytes,
      log: io.log,
      whenFull: 'Raise --scratch-limit: verify keeps up to five parts there at a time.',
    });
    try {
      const folder = await scratch.subfolder('parts');
      return await verifyLake({ store, witness, keys, scratch, folder, settings, io });
    } finally {
      await scratch.remove();
    }
  } finally {
    await witness?.close();
    await store.close();
    aws?.close();
    io.progress.stop();
  }
}

interface Verification {
  readonly store: Store;
  readonly witness: Store | null;
  readonly keys: readonly TrustedKey[];
  readonly scratch: ObjectsToCheck['scratch'];
  readonly folder: string;
  readonly settings: VerifySettings;
  readonly io: VerifyIo;
}

async function verifyLake(verification: Verification): Promise<VerifyReport> {
  const { store, witness, keys, scratch, folder, settings, io } = verification;
  const { stopping: signal, progress } = io;
  const startedAt = io.now();
  const scope = scopeOf(settings, startedAt);
  const isMoving = settings.since.kind === 'ago' || settings.subset?.number === null;
  const identity: LookIdentity = { lake: store.url, ...scope, quick: settings.quick, isMoving };
  const place = settings.resumeFile === null ? null : await readPlace(settings.resumeFile, identity);
  const look = new Look(place);

  progress.phase('reading the ledger');
  // Before the ledger: the runs that wrote these have ended by then.
  await refuseRebucketing(store, signal);
  const marks = await readAllWatermarks(store, look, signal);
  const conflicts = new CreationDateConflicts(await readAllCreationDates(store, look, signal));
  const witnessed = await manifestsInCheckpoint(store, keys, signal);
  const ledger = await readLedger({ store, witnessed, histories: new Set(), signal });
  const buckets = await checkLakeRecord(store, ledger, look, signal);
  for (const found of ledger.findings) look.add(found);
  const isAsked = (key: string, day: string) => isInScope(key, day, scope);
  await checkLedgerNames(store, look, signal);
  await checkRejected(store, ledger, look, isAsked, signal);
  if (!settings.quick) await checkBeginRecords(store, ledger, look, isAsked, signal);

  // Their proof is the coverage of all runs.
  const provable = scope.since === null && !settings.quick;
  const files = provable ? marks.filter(({ key }) => isInSubset(key, scope.subset)) : [];
  const coverage = new CoverageRead((runId) => ledger.runs.get(runId)?.state === 'ended');
  const walk = new Walk(verification, { startedAt, place, look, ledger, isAsked });
  const spill = new KeySpill(folder, scratch);
  const optionsOf = (table: Table): ObjectsToCheck => {
    const options = walk.options(buckets);
    if (table === copyJobs) {
      const take = async (at: TableKey, rows: readonly Row[]) => {
        conflicts.add(at, rows);
        await spill.add(
          at.key,
          rows.map(({ copy_job_id: id }) => String(id)),
        );
      };
      return { ...options, rows: { columns: [], take } };
    }
    if (table !== exportCoverage) return options;
    return {
      ...options,
      // Without it, watermarks would seem to lack a proof.
      onUnread: null,
      isAsked: ({ key, day }) => files.length > 0 || isAsked(key, day),
      mayGoOn: () => true,
      rows: { columns: proofColumns, take: (at, rows) => coverage.add(at, rows) },
    };
  };
  // The coverage first: it is small, and needed whole. Then parts in the order of their keys, as resuming needs it.
  const tables = lakeTables.toSorted(
    (a, b) => Number(b === exportCoverage) - Number(a === exportCoverage) || (a.name < b.name ? -1 : 1),
  );
  for (const table of tables) await checkTable(table, optionsOf(table));

  progress.phase('looking again at what differs');
  const later = await lookAgain(optionsOf, { store, witnessed, ledger, look, tables, buckets, signal });
  await checkWatermarks(files, coverage, later, look);
  const doubled = await checkJobsInTwoParts(spill, look);
  conflicts.tell(look, new Set([...doubled, ...look.findings.map(({ key }) => key)]));
  progress.phase('comparing the lake with its checkpoints');
  const ledgerOf = (keys: ReadonlySet<string>) => readLedger({ store, witnessed, histories: keys, signal });
  const signed = await checkSignedState({ store, witness, keys, ledger: later, ledgerOf, look, signal });
  const stoppedAfter = walk.stoppedAfter;
  if (settings.resumeFile !== null) {
    const next = stoppedAfter === null ? null : placeOf(look, stoppedAfter, place?.startedAt ?? startedAt);
    await writePlace(settings.resumeFile, identity, next);
  }
  return reportOf({
    lake: store.url,
    programVersion: io.programVersion,
    scope,
    quick: settings.quick,
    startedAt: place?.startedAt ?? startedAt,
    endedAt: io.now(),
    stoppedAfter,
    ledger: later,
    look,
    signed,
  });
}

/**
 * The summaries need no such check: the day of a count is part of its key, and each part has been compared with its day.
 * @returns the parts that share jobs
 */
async function checkJobsInTwoParts(spill: KeySpill, look: Look): Promise<readonly string[]> {
  try {
    const shared = await spill.shared();
    for (const { part, other, keys } of shared) {
      const what = `${count(keys, 'job')} of it ${keys === 1 ? 'is' : 'are'} in ${other} too`;
      look.note('rows-doubled', part, what);
    }
    return shared.flatMap(({ part, other }) => [part, other]);
  } finally {
    await spill.remove();
  }
}

function scopeOf({ since, subset }: VerifySettings, now: number): Scope {
  return { since: sinceDay(since, now), subset: subset === null ? null : subsetOf(subset, now) };
}

function sinceDay(since: VerifySettings['since'], now: number): string | null {
  switch (since.kind) {
    case 'auto':
    case 'all':
      return null;
    case 'instant':
      return utcDay(since.epochMs);
    case 'ago':
      return utcDay(now - since.ms);
  }
}

function placeOf(look: Look, after: string, startedAt: number): Place {
  return { after, startedAt, counts: look.counts, findings: look.findings };
}

interface WalkFacts {
  readonly startedAt: number;
  readonly place: Place | null;
  readonly look: Look;
  readonly ledger: Ledger;
  readonly isAsked: (key: string, day: string) => boolean;
}

/** After so many objects, memory that they left is released. */
const partsInMemory = 50;

/** The way through the objects: where it begins, whether there is time for one more, and how far it came. */
class Walk {
  readonly #of: Verification;
  readonly #about: WalkFacts;
  readonly #planned: number;
  #done = 0;
  #last: string | null;
  #isTimeUp = false;

  constructor(of: Verification, about: WalkFacts) {
    this.#of = of;
    this.#about = about;
    this.#last = about.place?.after ?? null;
    this.#planned = [...about.ledger.expected.keys()].filter((key) => key.endsWith('.parquet')).length;
  }

  /** The last object before the time was up; null: it was not. */
  get stoppedAfter(): string | null {
    return this.#isTimeUp ? (this.#last ?? '') : null;
  }

  options(buckets: number): ObjectsToCheck {
    const { store, scratch, folder, settings, io } = this.#of;
    const { look, ledger, isAsked, place } = this.#about;
    const { onUnread } = io;
    return {
      store,
      scratch,
      folder,
      onUnread:
        onUnread === undefined
          ? null
          : (key, error) => {
              look.refused.add(key);
              onUnread(key, error);
            },
      signal: io.stopping,
      buckets,
      look,
      ledger,
      quick: settings.quick,
      isAsked: ({ key, day }) => isAsked(key, day) && (place === null || key > place.after),
      mayGoOn: () => this.#mayGoOn(),
      onObject: (key) => {
        if (!key.startsWith(`${exportCoverage.name}/`)) this.#last = key;
        this.#done += 1;
        if (this.#done % partsInMemory === 0) releaseMemory('last-resort');
        io.progress.checked(this.#done, Math.max(this.#done, this.#planned), look.findings.length);
      },
    };
  }

  #mayGoOn(): boolean {
    const { settings, io } = this.#of;
    io.stopping.throwIfAborted();
    const { maxDurationMs } = settings;
    if (maxDurationMs !== null && io.now() >= this.#about.startedAt + maxDurationMs) this.#isTimeUp = true;
    return !this.#isTimeUp;
  }
}

/** Reads the ledger again, and then each object that was not as it should be: a run may have ended in between. */
async function lookAgain(
  optionsOf: (table: Table) => ObjectsToCheck,
  again: {
    readonly store: Store;
    readonly witnessed: WitnessedManifests;
    readonly ledger: Ledger;
    readonly look: Look;
    readonly tables: readonly Table[];
    readonly buckets: number;
    readonly signal: AbortSignal;
  },
): Promise<Ledger> {
  const { store, witnessed, look, tables, buckets, signal } = again;
  if (look.suspects.size === 0) return again.ledger;
  const ledger = await readLedger({ store, witnessed, histories: look.suspects, signal });
  for (const table of tables) {
    for (const key of look.suspects) {
      const place = parseTableKey(table, key, buckets);
      if (place !== null) await secondLook(table, place, { ...optionsOf(table), ledger });
    }
  }
  return ledger;
}
