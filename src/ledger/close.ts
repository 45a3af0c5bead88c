/**
 * The end of a run's ledger, in an order in which each step can be lost without harm: rejected records, then
 * the manifest, then coverage, then watermarks.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LakeError } from '../errors.ts';
import type { Engine } from '../lake/engines/engine.ts';
import type { Lake } from '../lake/lake.ts';
import { bucketOf, coverageKey, rejectedKey } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { exportCoverage } from '../tables/export-coverage.ts';
import { utcDay } from '../tables/table.ts';
import type { Totals } from '../totals.ts';
import { type Coverage, coverageRow } from './coverage.ts';
import type { RejectedRecords } from './rejected.ts';
import { latestManifest, type Manifest, type WrittenPart, writeManifest } from './runs.ts';
import { type Covered, extendWatermarks, watermarkName } from './watermarks.ts';

export interface LedgerEnd {
  readonly lake: Lake;
  readonly engine: Engine;
  readonly scratchFolder: string;
  readonly run: {
    readonly runId: string;
    /** Milliseconds since the epoch. */
    readonly asOf: number;
    readonly programVersion: string;
    readonly exitCode: number;
    readonly memoryDays: number;
  };
  readonly parts: readonly WrittenPart[];
  readonly coverage: readonly Coverage[];
  /** Days with jobs that have not ended, by the coverage's index. */
  readonly openDays: ReadonlyMap<number, ReadonlySet<string>>;
  readonly rejected: RejectedRecords;
  readonly totals: Totals;
}

/** @throws LakeError when a step cannot be written; those before it are */
export async function closeLedger(end: LedgerEnd): Promise<void> {
  const { lake, run } = end;
  const { store } = lake;
  const rejected = await publishRejected(end);
  const coverage = await writtenCoverage(end);
  await writeManifest(store, {
    format: 1,
    run_id: run.runId,
    as_of: new Date(run.asOf).toISOString(),
    ended_at: new Date().toISOString(),
    program_version: run.programVersion,
    previous: await latestManifest(store),
    parts: end.parts,
    coverage: { key: coverage.key, rows: end.coverage.length, sha256: coverage.sha256 },
    rejected,
    totals: end.totals,
    exit_code: run.exitCode,
  });
  await putOnce(store, coverage.key, coverage.file, run.runId, 'application/vnd.apache.parquet');
  await moveWatermarks(end);
}

async function publishRejected({ lake, run, rejected }: LedgerEnd): Promise<Manifest['rejected']> {
  if (rejected.count === 0) return null;
  const key = rejectedKey(utcDay(run.asOf), run.runId);
  await putOnce(lake.store, key, rejected.file, run.runId, 'application/x-ndjson');
  return { key, records: rejected.count, sha256: rejected.sha256() };
}

/** The coverage as Parquet in scratch, and where it goes. */
async function writtenCoverage({ engine, scratchFolder, run, coverage }: LedgerEnd) {
  const staged = join(scratchFolder, 'coverage.ndjson');
  const file = join(scratchFolder, 'coverage.parquet');
  await writeFile(staged, coverage.map((one) => `${JSON.stringify(coverageRow(one, run))}\n`).join(''));
  const runDate = utcDay(run.asOf);
  await engine.merge({
    table: exportCoverage,
    partition: { run_date: runDate },
    existing: null,
    staged: [staged],
    output: file,
    metadata: {
      run_id: run.runId,
      table: exportCoverage.name,
      schema_version: String(exportCoverage.schemaVersion),
    },
  });
  return { key: coverageKey(runDate, run.runId), file, sha256: await sha256Of(file) };
}

/** Only targets whose jobs are all read and all published move theirs. */
async function moveWatermarks({ lake, run, coverage, openDays }: LedgerEnd): Promise<void> {
  const byBucket = new Map<number, Map<string, Covered>>();
  coverage.forEach(({ table, target, window, status }, i) => {
    if (window === null || (status !== 'OK' && status !== 'OK_EMPTY')) return;
    const bucket = bucketOf(target.accountId, lake.buckets);
    const covered = byBucket.get(bucket) ?? new Map<string, Covered>();
    byBucket.set(bucket, covered);
    covered.set(watermarkName(table, target.accountId, target.region), {
      window,
      openDays: openDays.get(i) ?? new Set(),
      asOf: run.asOf,
    });
  });
  for (const [bucket, covered] of byBucket) {
    await extendWatermarks(lake.store, bucket, covered, { runId: run.runId, memoryDays: run.memoryDays });
  }
}

async function putOnce(
  store: Store,
  key: string,
  file: string,
  runId: string,
  contentType: string,
): Promise<void> {
  const put = await store.put({
    key,
    body: { file },
    condition: { ifAbsent: true },
    writeId: randomUUID(),
    metadata: { 'run-id': runId, bytes: String((await stat(file)).size) },
    contentType,
  });
  if (!put.written) {
    throw new LakeError(
      `${key} in ${store.url} is already there, though its name holds this run's own id`,
      'Look at who else writes into this lake: run ids are never used twice.',
    );
  }
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}
