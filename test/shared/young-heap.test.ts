import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const module = fileURLToPath(new URL('../../src/shared/young-heap.ts', import.meta.url));
const releasing = fileURLToPath(new URL('../../src/shared/release-memory.ts', import.meta.url));

/** In a process of its own: a flag of V8 holds for a whole process. Prints the largest sizes with the bound and without it. */
const program = `
  import { setImmediate } from 'node:timers/promises';
  import { getHeapSpaceStatistics } from 'node:v8';
  import { releaseMemory } from ${JSON.stringify(releasing)};
  import { boundYoungHeap, isYoungHeapTooLarge } from ${JSON.stringify(module)};
  const young = () => getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space').space_size;
  const largest = async () => {
    let [kept, most] = [[], 0];
    for (let at = 0; at < 150; at += 1) {
      for (let one = 0; one < 10_000; one += 1) kept.push({ at, text: 'x' + at + one });
      if (kept.length > 60_000) kept = kept.slice(30_000);
      most = Math.max(most, young());
      await setImmediate();
    }
    return most;
  };
  boundYoungHeap(32);
  const bound = await largest();
  boundYoungHeap(null);
  const free = await largest();
  boundYoungHeap(32);
  const isTooLarge = isYoungHeapTooLarge();
  releaseMemory('last-resort');
  const wasReleased = !isYoungHeapTooLarge();
  console.log(JSON.stringify({ bound, free, isTooLarge, wasReleased, boundAgain: await largest() }));
`;

it('keeps the space for young objects at 32 MiB, lets it grow without the bound, and gives it back', () => {
  const output = execFileSync(
    process.execPath,
    ['--input-type=module', '--max-semi-space-size=64', '-e', program],
    {
      encoding: 'utf8',
    },
  );
  const { bound, free, boundAgain, ...rest } = JSON.parse(output);
  expect(bound).toBeLessThanOrEqual(32 * 2 ** 20);
  expect(free).toBeGreaterThan(32 * 2 ** 20);
  expect(rest).toEqual({ isTooLarge: true, wasReleased: true });
  expect(boundAgain).toBeLessThanOrEqual(32 * 2 ** 20);
});

it('begins the young space of threads as large as is asked, and then as V8 decides', () => {
  // All of it survives: the smaller the space is, the more often it is collected.
  const thread = `
    import { GCProfiler } from 'node:v8';
    import { parentPort } from 'node:worker_threads';
    const profiler = new GCProfiler();
    profiler.start();
    const kept = [];
    for (let at = 0; at < 400_000; at += 1) kept.push({ at });
    parentPort.postMessage([profiler.stop().statistics.length, kept.length]);
  `;
  const program = `
    import { once } from 'node:events';
    import { Worker } from 'node:worker_threads';
    import { beginYoungHeapsWith } from ${JSON.stringify(module)};
    const collections = async () => {
      const [[count]] = await once(new Worker(${JSON.stringify(thread)}, { eval: true }), 'message');
      return count;
    };
    const before = await collections();
    beginYoungHeapsWith(8);
    const asked = await collections();
    beginYoungHeapsWith(0);
    console.log(JSON.stringify({ before, asked, after: await collections() }));
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  const { before, asked, after } = JSON.parse(output);
  expect(asked).toBeLessThan(Math.min(before, after));
});
