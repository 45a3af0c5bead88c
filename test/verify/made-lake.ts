/** A lake with as many partitions as a test wants, written by the program's own functions in a few runs. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '../../src/lake/engines/open-engine.ts';
import { openLake } from '../../src/lake/lake.ts';
import { publishPart } from '../../src/lake/publish.ts';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import { closeLedger, closeWatermarks } from '../../src/ledger/close.ts';
import { RejectedRecords } from '../../src/ledger/rejected.ts';
import { newRunId, type WrittenPart, writeBegin } from '../../src/ledger/runs.ts';
import { emptyTotals } from '../../src/ledger/totals.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import type { Row } from '../../src/tables/table.ts';
import { utcDay } from '../../src/tables/table.ts';
import { linesOf } from '../support/staged-rows.ts';

const dayMs = 86_400_000;
const account = '111122223333';
const region = 'us-east-1';
const credentials = async () => ({ accessKeyId: 'unused', secretAccessKey: 'unused' });

export interface MadeLake {
  readonly folder: string;
  readonly close: () => Promise<void>;
}

/** @param partitions days of copy_jobs, with this many rows each; every run writes a hundred of them */
export async function makeLake(partitions: number, rowsEach: number): Promise<MadeLake> {
  const parent = await mkdtemp(join(tmpdir(), 'backup-copy-export-made-'));
  const folder = join(parent, 'lake');
  const scratchFolder = join(parent, 'scratch');
  await mkdir(scratchFolder);
  const store = await openLocalStore({ folder, create: true });
  const engine = await openEngine('duckdb', { memoryLimitBytes: 5e8, scratch: scratchFolder });
  const signal = new AbortController().signal;
  const firstDay = Date.UTC(2023, 0, 1);
  try {
    for (let from = 0; from < partitions; from += 100) {
      const to = Math.min(from + 100, partitions);
      const asOf = firstDay + to * dayMs;
      const runId = newRunId(asOf, asOf);
      const lake = await openLake({
        store,
        buckets: 1,
        allowUnsafeStore: false,
        runId,
        programVersion: '0.0.0-test',
        now: new Date(asOf).toISOString(),
        mode: 'write',
        signal,
      });
      const window = { from: firstDay + from * dayMs, to: asOf };
      const begin = await writeBegin(store, beginRecord(runId, asOf, window));
      const parts: WrittenPart[] = [];
      for (let day = from; day < to; day += 1) {
        const staged = join(scratchFolder, 'staged.csv');
        await writeFile(staged, linesOf(copyJobs, copies(firstDay + day * dayMs, rowsEach, runId)));
        const { key, outcome, written } = await publishPart({
          store,
          engine,
          table: copyJobs,
          partition: { creation_date: utcDay(firstDay + day * dayMs) },
          bucket: 0,
          buckets: 1,
          staged: [staged],
          stagedRows: rowsEach,
          distinctKeys: true,
          scratchFolder,
          runId,
          metadata: {},
          random: Math.random,
          sleep: async () => undefined,
          maxAttempts: 1,
          signal,
        });
        if (written === null) throw new Error(`${key} was not written`);
        const { bytes, sha256, etagBefore, etagAfter } = written;
        parts.push({
          key,
          rows: outcome.rows,
          bytes,
          sha256,
          etag_before: etagBefore,
          etag_after: etagAfter,
        });
      }
      const end = {
        lake,
        engine,
        scratchFolder,
        run: {
          runId,
          asOf,
          programVersion: '0.0.0-test',
          exitCode: 0,
          memoryDays: 35,
          countMemoryDays: 14,
          now: () => asOf,
        },
        begin,
        parts,
        coverage: [coverageOf(window, rowsEach * (to - from))],
        reconciliation: [],
        openDays: new Map(),
        rejected: new RejectedRecords(scratchFolder),
        totals: emptyTotals(['copy_jobs']),
        signal,
      };
      await closeLedger(end);
      await closeWatermarks(end, new Map());
    }
  } finally {
    await engine.close();
    await store.close();
  }
  return { folder, close: () => rm(parent, { recursive: true, force: true }) };
}

interface Interval {
  readonly from: number;
  readonly to: number;
}

function beginRecord(runId: string, asOf: number, { from, to }: Interval) {
  const iso = (time: number) => new Date(time).toISOString();
  return {
    format: 1,
    run_id: runId,
    as_of: iso(asOf),
    started_at: iso(asOf),
    program_version: '0.0.0-test',
    buckets: 1,
    caller: { account_id: account, arn: `arn:aws:iam::${account}:user/test` },
    settings: { deadlineMs: 7_200_000 },
    plan: [{ table: 'copy_jobs', account_id: account, region, window_from: iso(from), window_to: iso(to) }],
  } as const;
}

function coverageOf(window: Interval, rows: number) {
  return {
    table: 'copy_jobs',
    target: { accountId: account, region, accountName: null, regionNamed: false, credentials },
    window,
    status: 'OK',
    read: true,
    report: {
      pages: 1,
      retries: 0,
      firstRequestId: null,
      lastRequestId: null,
      durationMs: 1,
      errorName: null,
      errorMessage: null,
    },
    rows,
    rejected: 0,
  } as const;
}

function copies(start: number, rows: number, runId: string): readonly Row[] {
  return Array.from({ length: rows }, (_, at) => {
    const created = start + at * 1000;
    return {
      copy_job_id: `job-${start}-${at}`,
      account_id: account,
      region,
      state: 'COMPLETED',
      creation_time: created,
      completion_time: created + 60_000,
      status_message: `copy ${at} of ${rows} has ended`,
      source_backup_vault_arn: `arn:aws:backup:${region}:${account}:backup-vault:Default`,
      destination_backup_vault_arn: `arn:aws:backup:eu-central-1:${account}:backup-vault:Default`,
      first_observed_at: created,
      observed_at: created,
      run_id: runId,
      queried_account_id: account,
    };
  });
}
