import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const module = fileURLToPath(new URL('../../src/shared/old-heap.ts', import.meta.url));

/** In a process of its own: a flag of V8 holds for a whole process. */
function printed(program: string, ...ofNode: readonly string[]): Record<string, number> {
  const whole = `
    import { setImmediate } from 'node:timers/promises';
    import { GCProfiler } from 'node:v8';
    import { countOutsideBytes, growHeapBy } from ${JSON.stringify(module)};
    const during = async (work) => {
      const profiler = new GCProfiler();
      profiler.start();
      await work();
      return profiler.stop().statistics.filter(({ gcType }) => gcType === 'MarkSweepCompact').length;
    };
    ${program}`;
  // Safe: the program prints counts.
  return JSON.parse(
    execFileSync(process.execPath, [...ofNode, '--input-type=module', '-e', whole], { encoding: 'utf8' }),
  );
}

it('collects the heap less often if bytes outside of it count with it', () => {
  const collections = (areCounted: boolean) =>
    printed(`
      countOutsideBytes(${areCounted});
      const kept = Array.from({ length: 200_000 }, (_, at) => ({ at }));
      const pagesOf = (mebibytes) => Array.from({ length: mebibytes / 2 }, () => Buffer.alloc(2 * 2 ** 20, 1));
      const some = pagesOf(80);
      const found = await during(async () => {
        for (let round = 0; round < 20; round += 1) {
          const pages = pagesOf(80);
          await setImmediate();
          for (const { buffer } of pages) buffer.transfer(0);
          await setImmediate();
        }
      });
      console.log(JSON.stringify({ found, kept: [kept, some].length }));
    `).found;
  expect(collections(false)).toBeGreaterThan(10);
  expect(collections(true)).toBeLessThan(5);
});

it('collects the heap more often while it may grow less, and as before when it no longer has to', () => {
  const program = `
    const grow = async () => {
      let kept = [];
      for (let round = 0; round < 1_200; round += 1) {
        kept.push(Array.from({ length: 10_000 }, (_, at) => ({ at, round })));
        if (kept.length > 40) kept = kept.slice(20);
        await setImmediate();
      }
    };
    await during(grow);
    const before = await during(grow);
    growHeapBy(20);
    const bound = await during(grow);
    growHeapBy(0);
    console.log(JSON.stringify({ before, bound, after: await during(grow) }));
  `;
  // In a larger young space, lists may die young: then the heap does not grow, and is never collected.
  const found = printed(program, '--max-semi-space-size=1');
  const { before = 0, bound = 0, after = 0 } = found;
  expect(bound).toBeGreaterThan(1.5 * Math.max(before, after));
});
