/** A job whose creation date AWS gives otherwise than before: one row, in the day where it was first seen. */
import { afterEach, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
afterEach(() => lab.close());

const dayMs = 86_400_000;
const moved = (days: number) =>
  lab.simulator.addFaults([{ kind: 'moved-date', api: 'ListCopyJobs', ms: days * dayMs }]);

async function creationDates(): Promise<ReadonlyMap<string, string>> {
  const rows = await lab.table('copy_jobs');
  const found = new Map(rows.map((row) => [String(row.copy_job_id), String(row.creation_date)]));
  expect(found.size).toBeGreaterThan(0);
  expect(found.size).toBe(rows.length);
  return found;
}

it('a plain night that meets yesterday’s jobs at another day keeps them, and follows those that are open', async () => {
  lab = await openLab({ accounts: 3, regions: 1, jobsPerDay: 20 });
  await lab.run();
  const before = await creationDates();
  await lab.simulator.advance(dayMs / 4);
  moved(-1);
  const run = await lab.run();
  expect(run.moved_jobs).toBeGreaterThan(0);
  const after = await creationDates();
  for (const [id, day] of before) expect(after.get(id)).toBe(day);
});
