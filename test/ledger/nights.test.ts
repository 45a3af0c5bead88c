import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import type { Store } from '../../src/lake/stores/store.ts';
import { joinNight } from '../../src/ledger/nights.ts';
import { abortable, Interrupted } from '../../src/shared/abort.ts';

const second = 1000;
const minute = 60 * second;
const begun = Date.UTC(2026, 10, 20, 2);

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bce-nights-'));
  store = await openLocalStore({ folder, create: true });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** A shard whose as-of is `asOf`. Its clock moves only while it sleeps, and each sleep ends a millisecond early. */
async function joined(asOf: number, signal = new AbortController().signal) {
  let now = asOf;
  const slept: number[] = [];
  const sleep = async (ms: number) => {
    slept.push(ms);
    now += ms > 1 ? ms - 1 : 1;
  };
  const own = { asOf, shards: 2, runId: `run-${asOf}` };
  const log = pino({ level: 'silent' });
  const night = await joinNight(store, 'n', own, { now: () => now, sleep }, { log, signal });
  return { night, slept, now };
}

it('is the as-of of the first shard for all of them, whose clocks differ by seconds or minutes', async () => {
  expect(await joined(begun)).toMatchObject({ night: begun, slept: [] });
  expect(await joined(begun + 3 * 3_600_000)).toMatchObject({ night: begun, slept: [] });
  for (const behind of [2 * second, 5 * minute]) {
    const shard = await joined(begun - behind);
    expect(shard).toMatchObject({ night: begun, slept: [behind, 1] });
    // It does not claim to have read what is still to come by its own clock.
    expect(shard.now).toBeGreaterThanOrEqual(begun);
  }
});

it('does not count for a shard by whose clock it begins later than clocks may differ', async () => {
  await joined(begun);
  const behind = begun - 5 * minute - 1;
  expect(await joined(behind)).toMatchObject({ night: behind, slept: [] });
  await expect(joined(begun - 21 * 3_600_000)).rejects.toThrow(/more than 20 hours in the future/);
});

it('is not waited for once the run is told to stop', async () => {
  await joined(begun);
  const stop = new AbortController();
  const time = {
    now: () => begun - minute,
    sleep: (_: number, signal: AbortSignal) => {
      queueMicrotask(() => stop.abort(new Interrupted()));
      return abortable(Promise.withResolvers<never>().promise, signal);
    },
  };
  const own = { asOf: begun - minute, shards: 2, runId: 'run' };
  const io = { log: pino({ level: 'silent' }), signal: stop.signal };
  await expect(joinNight(store, 'n', own, time, io)).rejects.toBeInstanceOf(Interrupted);
});
