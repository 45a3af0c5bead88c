import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

const day = 86_400_000;
const jumping = fileURLToPath(new URL('../support/clock-jump.ts', import.meta.url));

let lab: Lab;
beforeEach(async () => {
  // By the machine's clock, so that it is right until it is set.
  lab = await openLab({ now: Date.now(), jobsPerDay: 120, days: 4, regions: 2, latencyMs: 20 });
});
afterEach(() => lab.close());

it.each([-day, day])('a local clock that is set by %d ms in mid-run costs nothing', async (jump) => {
  const file = join(lab.folder, 'now');
  Object.assign(lab.environment, { CLOCK_JUMP_FILE: file, CLOCK_JUMP_MS: String(jump) });
  // Slow enough that the jump comes between two requests of every target.
  const { ended } = lab.start({ 'requests-per-second': '2', 'target-timeout': '50s' }, ['--import', jumping]);
  const asked = () => lab.simulator.requests().recent.filter(({ api }) => api === 'ListCopyJobs').length;
  await lab.until(async () => asked() > 0);
  await writeFile(file, '');
  const before = asked();
  const { code, stdout, stderr } = await ended;
  expect(stderr).not.toMatch(/ACCESS_DENIED|SignatureDoesNotMatch|InvalidSignature/);
  expect(code).toBe(0);
  // It went on after the jump: with other requests, signed by the clock that had been set.
  expect(asked()).toBeGreaterThan(before);
  expect(JSON.parse(stdout).failures).toEqual([]);
  expect(await lab.differences()).toEqual([]);
});
