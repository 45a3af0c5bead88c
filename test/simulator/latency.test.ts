import { expect, it } from 'vitest';
import { withLatency } from '../../src/simulator/latency.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';

it('counts the work as part of the response time, for each of many requests at once', async () => {
  let now = 0;
  const due: number[] = [];
  const onTime = withLatency(200, { now: () => now, sleep: async (ms) => void due.push(now + ms) });
  // Each occupies the only thread for 30 ms.
  const work = async () => (now += 30);
  const results = await Promise.all([onTime(work), onTime(work), onTime(work)]);
  expect(results).toEqual([30, 60, 90]);
  expect(due).toEqual([200, 200, 200]);
});

it('notes all that has arrived before it does any of the work', async () => {
  let now = 0;
  const due: number[] = [];
  const onTime = withLatency(200, { now: () => now, sleep: async (ms) => void due.push(now + ms) });
  const work = async () => (now += 30);
  const answered = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
  for (const { resolve } of answered) setImmediate(() => resolve(onTime(work)));
  await Promise.all(answered.map(({ promise }) => promise));
  expect(due).toEqual([200, 200]);
});

it('notes a request that arrives during the work for others before the next piece of it', async () => {
  let now = 0;
  const due: number[] = [];
  const onTime = withLatency(200, { now: () => now, sleep: async (ms) => void due.push(now + ms) });
  const late = Promise.withResolvers<unknown>();
  const first = async () => {
    now += 30;
    setTimeout(() => late.resolve(onTime(async () => 'late')), 0);
    const until = performance.now() + 2;
    while (performance.now() < until);
  };
  const second = async () => (now += 30);
  await Promise.all([onTime(first), onTime(second), late.promise]);
  expect(due).toEqual([200, 200, 230]);
});

it('does not wait when the work took longer, or without latency', async () => {
  let now = 0;
  const slept: number[] = [];
  const clock = { now: () => now, sleep: async (ms: number) => void slept.push(ms) };
  await withLatency(200, clock)(async () => (now += 500));
  expect(slept).toEqual([0]);
  await withLatency(0, clock)(async () => (now += 500));
  expect(slept).toEqual([0]);
});

it('rejects with what the work rejects with, and others go on', async () => {
  const onTime = withLatency(1);
  const failing = onTime(async () => {
    throw new RangeError('the work failed');
  });
  const other = onTime(async () => 'fine');
  await expect(failing).rejects.toThrow(RangeError);
  expect(await other).toBe('fine');
});

it('is that of every response of a service, and of none of the control endpoints', async () => {
  const simulator = await startSimulator({ accounts: 1, regions: 1, latencyMs: 400 });
  try {
    const [begun, service] = [performance.now(), fetch(`${simulator.endpoint}/copy-jobs`)];
    await fetch(`${simulator.endpoint}/_simulator/requests`);
    const control = performance.now() - begun;
    await service;
    // A timer may be early by a millisecond.
    expect(performance.now() - begun).toBeGreaterThanOrEqual(399);
    expect(control).toBeLessThan(399);
  } finally {
    await simulator.stop();
  }
});
