/** The ledger's record of a rebucket: a run without a plan, whose manifest names what it wrote and removed. */
import { clockToleranceMs } from '../aws/clock.ts';
import type { Engine } from '../lake/engines/engine.ts';
import type { LakeRecord } from '../lake/lake-record.ts';
import { storeTime } from '../lake/stores/store-time.ts';
import { closeLedger } from '../ledger/close.ts';
import { RejectedRecords } from '../ledger/rejected.ts';
import { endsBy } from '../ledger/run-end.ts';
import { newestRun, newRunId, type WrittenPart, writeBegin } from '../ledger/runs.ts';
import { emptyTotals } from '../ledger/totals.ts';
import type { Objects } from './objects.ts';
import { readPiece, switchedKey } from './pieces.ts';
import type { RebucketReport } from './rebucket-report.ts';
import type { Switched } from './switch-partition.ts';

/** All parts are in place by then. */
const closesWithinMs = 3_600_000;

export interface CloseOptions extends Objects {
  readonly engine: Engine;
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly partitions: readonly string[];
  readonly programVersion: string;
  readonly localNow: () => number;
  readonly record: LakeRecord;
}

export async function closeRebucket(
  options: CloseOptions,
): Promise<Omit<RebucketReport, 'exit_code' | 'lake' | 'from' | 'to'>> {
  const { store, engine, id, from, to, partitions, scratchFolder, signal, programVersion, record } = options;
  const parts: WrittenPart[] = [];
  const removed: string[] = [];
  let rows = 0;
  for (const partition of partitions) {
    const piece = await readPiece(store, id, partition, signal);
    const found = await store.read(switchedKey(id, partition), signal);
    // Safe: switch-partition.ts wrote it, and nothing else writes there.
    const { etags } = JSON.parse(Buffer.from(found?.bytes ?? []).toString('utf8')) as Switched;
    const before = new Map(piece.before.map((part) => [part.key, part]));
    rows += piece.rows;
    for (const part of piece.after) {
      const replaced = before.get(part.key);
      parts.push({
        ...part,
        sha256_before: replaced?.sha256 ?? null,
        etag_before: replaced?.etag ?? null,
        etag_after: etags[part.key] ?? '',
      });
      before.delete(part.key);
    }
    removed.push(...before.keys());
  }
  const createdAt = Date.parse(record.created_at);
  const now = storeTime(store, options.localNow).epochMs;
  const latest = now + clockToleranceMs;
  // AWS's time, although nobody asks AWS: right after the newest run. A begin record from the future does not count, unless
  // its run has ended or the lake itself is from there: then the clock is wrong.
  const newest = await newestRun(store, signal, createdAt > latest ? undefined : latest);
  const asOf = (newest?.asOf ?? createdAt) + 1;
  const runId = newRunId(asOf, Date.now());
  const begin = await writeBegin(
    store,
    {
      format: 1,
      run_id: runId,
      as_of: new Date(asOf).toISOString(),
      started_at: new Date(options.localNow()).toISOString(),
      ends_by: new Date(endsBy(Math.max(now, asOf), 0, closesWithinMs)).toISOString(),
      program_version: programVersion,
      buckets: to,
      caller: { account_id: '', arn: '' },
      settings: { job: 'rebucket', from, to, deadlineMs: closesWithinMs },
      plan: [],
    },
    signal,
  );
  await closeLedger({
    lake: { store, buckets: to, isNew: false, record },
    engine,
    scratchFolder,
    run: {
      runId,
      asOf,
      programVersion,
      exitCode: 0,
      memoryDays: 30,
      countMemoryDays: 14,
      now: () => Math.max(asOf, storeTime(store, options.localNow).epochMs),
    },
    begin,
    parts,
    removed,
    coverage: [],
    reconciliation: [],
    openDays: new Map(),
    rejected: new RejectedRecords(scratchFolder),
    totals: emptyTotals(['copy_jobs', 'copy_job_summaries']),
    signal,
  });
  return {
    partitions: partitions.length,
    rows,
    parts_written: parts.length,
    parts_removed: removed.length,
    run_id: runId,
  };
}
