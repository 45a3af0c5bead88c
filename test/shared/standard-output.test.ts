import { expect, test } from 'vitest';
import { exported, openForReading, refusedOutput, run } from './refused-output.ts';

// standard-output.long.test.ts has the full disk.
refusedOutput(openForReading);

test.each([
  [exported('head')],
  [['query', 'SELECT * FROM range(1000000)', '--lake', './head']],
  [['query', '--list']],
  [['--help']],
])('a reader that has gone is no failure, and nothing is said of it: %j', async (args) => {
  const { code, stderr } = await run(args, 'pipe');
  expect([code, stderr.match(/could not be written|EPIPE/)]).toEqual([0, null]);
});
