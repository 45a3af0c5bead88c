import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import type { Store } from '../../src/lake/stores/store.ts';
import { type BeginRecord, newRunId, writeBegin } from '../../src/ledger/runs.ts';
import { runsAtWork } from '../../src/ledger/runs-at-work.ts';

const hour = 3_600_000;
const day = 24 * hour;
const night = Date.UTC(2026, 10, 20, 2);
const iso = (time: number) => new Date(time).toISOString();

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bce-at-work-'));
  store = await openLocalStore({ folder, create: true });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** A shard of the night that begins `late` after it. An older program did not say when it ends. */
async function beginShard(late: number, deadlineMs: number, isOlder = false): Promise<string> {
  const runId = newRunId(night, night + late);
  await writeBegin(store, {
    ...record(night),
    run_id: runId,
    started_at: iso(night + late),
    ...(isOlder ? {} : { ends_by: iso(night + late + deadlineMs) }),
    settings: { deadlineMs, shard: { index: 1, count: 2 }, night: 'n' },
  });
  return runId;
}

function record(asOf: number): BeginRecord {
  return {
    format: 1,
    run_id: '',
    as_of: iso(asOf),
    started_at: iso(asOf),
    program_version: '0.0.0-test',
    buckets: 2,
    caller: { account_id: '', arn: '' },
    settings: { deadlineMs: hour },
    plan: [],
  };
}

async function atWork(now: number): Promise<string[]> {
  const found: string[] = [];
  for await (const { runId } of runsAtWork(store, now, new AbortController().signal)) found.push(runId);
  return found;
}

it('counts a shard that began hours after its night until its own deadline has passed', async () => {
  const runId = await beginShard(10 * hour, 2 * hour);
  expect(await atWork(night + 11 * hour)).toEqual([runId]);
  expect(await atWork(night + 13 * hour)).toEqual([]);
});

it('counts a shard of an older program for as long as it may have begun late', async () => {
  const runId = await beginShard(10 * hour, 2 * hour, true);
  expect(await atWork(night + 22 * hour)).toEqual([runId]);
  expect(await atWork(night + 24 * hour)).toEqual([]);
});

it('counts a run beside one that says that it began in the future', async () => {
  const runId = await beginShard(0, 2 * hour);
  const future = night + 70 * 365 * day;
  await writeBegin(store, { ...record(future), run_id: newRunId(future, night) });
  expect(await atWork(night + hour)).toContain(runId);
});

it('finds a shard with the longest deadline that began as late as it may', async () => {
  const runId = await beginShard(20 * hour, 24 * day);
  expect(await atWork(night + 24 * day + 19 * hour)).toEqual([runId]);
});
