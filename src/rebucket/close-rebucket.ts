/** The ledger's record of a rebucket: a run without a plan, whose manifest names what it wrote and removed. */
import type { Engine } from '../lake/engines/engine.ts';
import type { LakeRecord } from '../lake/lake-record.ts';
import { closeLedger } from '../ledger/close.ts';
import { RejectedRecords } from '../ledger/rejected.ts';
import { newestRun, newRunId, type WrittenPart, writeBegin } from '../ledger/runs.ts';
import { emptyTotals } from '../ledger/totals.ts';
import type { Objects } from './objects.ts';
import { readPiece, switchedKey } from './pieces.ts';
import type { RebucketReport } from './rebucket-report.ts';
import type { Switched } from './switch-partition.ts';

export interface CloseOptions extends Objects {
  readonly engine: Engine;
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly partitions: readonly string[];
  readonly programVersion: string;
  readonly record: LakeRecord;
}

export async function closeRebucket(
  options: CloseOptions,
): Promise<Omit<RebucketReport, 'exit_code' | 'lake' | 'from' | 'to'>> {
  const { store, engine, id, from, to, partitions, scratchFolder, signal, programVersion } = options;
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
  // AWS's time, although nobody asks AWS: right after the newest run.
  const asOf = ((await newestRun(store, signal))?.asOf ?? Date.parse(options.record.created_at)) + 1;
  const runId = newRunId(asOf, Date.now());
  const begin = await writeBegin(
    store,
    {
      format: 1,
      run_id: runId,
      as_of: new Date(asOf).toISOString(),
      started_at: new Date().toISOString(),
      program_version: programVersion,
      buckets: to,
      caller: { account_id: '', arn: '' },
      settings: { job: 'rebucket', from, to, deadlineMs: 3_600_000 },
      plan: [],
    },
    signal,
  );
  await closeLedger({
    lake: { store, buckets: to, isNew: false, record: options.record },
    engine,
    scratchFolder,
    run: { runId, asOf, programVersion, exitCode: 0, memoryDays: 30, countMemoryDays: 14, latest: asOf },
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
