import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ days: 5 });
});
afterAll(() => lab.close());

it('a second run over unchanged data writes no part, whatever its window', async () => {
  await lab.run();
  const before = await lab.parts();
  expect(before.size).toBeGreaterThan(10);
  for (const flags of [{}, { since: 'all' }, { since: '3d' }, { engine: 'parquetjs-lite', since: 'all' }]) {
    const again = await lab.run(flags);
    expect(again.exit_code).toBe(0);
    expect(again.tables.copy_jobs).toMatchObject({ added: 0, updated: 0, parts_written: 0 });
    expect(again.tables.copy_job_summaries).toMatchObject({
      added: 0,
      updated: 0,
      removed: 0,
      parts_written: 0,
    });
    expect(await lab.parts()).toEqual(before);
  }
});

it('a day later only the partitions that changed are written', async () => {
  const before = await lab.parts();
  await lab.simulator.advance(86_400_000);
  const run = await lab.run();
  const after = await lab.parts();
  expect(await lab.differences()).toEqual([]);
  const written = [...after].filter(([key, bytes]) => before.get(key) !== bytes).map(([key]) => key);
  const untouched = [...before.keys()].filter((key) => after.get(key) === before.get(key));
  expect(written.length).toBe(
    (run.tables.copy_jobs?.parts_written ?? 0) + (run.tables.copy_job_summaries?.parts_written ?? 0),
  );
  expect(written).toContain('copy_jobs/creation_date=2026-11-20/part-00000.parquet');
  expect(untouched.length).toBeGreaterThan(2);
});
