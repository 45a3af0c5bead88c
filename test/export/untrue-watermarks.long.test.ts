import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
beforeEach(async () => {
  lab = await openLab();
});
afterEach(() => lab.close());

const day = 86_400_000;

/** Changes every watermark of the lake by hand. */
async function edit(change: (mark: Record<string, unknown>) => void): Promise<void> {
  const file = join(lab.lake, '_ledger/watermarks/00000.json');
  const marks = JSON.parse(await readFile(file, 'utf8'));
  for (const mark of Object.values<Record<string, unknown>>(marks.targets)) change(mark);
  await writeFile(file, JSON.stringify(marks));
}

const marks = async (): Promise<Record<string, { covered_to: string; full_at: string }>> =>
  JSON.parse(await readFile(join(lab.lake, '_ledger/watermarks/00000.json'), 'utf8')).targets;

const iso = (epochMs: number) => new Date(epochMs).toISOString();

describe('a watermark that cannot be true', () => {
  it.each<[string, (now: number, mark: Record<string, unknown>) => void]>([
    [
      'covers what has not come yet',
      (now, mark) => {
        mark.covered_to = iso(now + 40 * day);
        mark.full_at = iso(now + 40 * day);
      },
    ],
    ['was full at a time that has not come yet', (now, mark) => (mark.full_at = iso(now + 3 * day))],
    [
      'has jobs open on a day that has not come yet',
      (now, mark) => (mark.open_days = [iso(now + 9 * day).slice(0, 10)]),
    ],
    [
      'lacks jobs of a day that has not come yet',
      (now, mark) => (mark.missing = [`${iso(now + 9 * day).slice(0, 10)} 1 ${iso(now)}`]),
    ],
    [
      'has found jobs missing at a time that has not come yet',
      (now, mark) => (mark.missing = [`${iso(now - 9 * day).slice(0, 10)} 1 ${iso(now + 3 * day)}`]),
    ],
    ['lacks jobs that nobody can read', (_, mark) => (mark.missing = ['some'])],
    ['begins after it ends', (now, mark) => (mark.covered_from = iso(now + day))],
  ])('because it %s is ignored, and the next run writes down what is true', async (_, damage) => {
    await lab.run();
    await edit((mark) => damage(lab.simulator.now(), mark));
    await lab.simulator.advance(2 * day);
    const run = await lab.run();
    expect(run.exit_code).toBe(0);
    expect(run.coverage.SKIPPED).toBeUndefined();
    expect(await lab.differencesFromNow()).toEqual([]);
    expect(Object.keys(await marks())).toHaveLength(3 * 2 * 2);
    for (const { covered_to: coveredTo, full_at: fullAt } of Object.values(await marks())) {
      expect(Date.parse(coveredTo)).toBe(lab.simulator.now());
      expect(Date.parse(fullAt)).toBe(lab.simulator.now());
    }
    await lab.simulator.advance(day);
    await lab.run();
    expect(await lab.differencesFromNow()).toEqual([]);
  });
});
