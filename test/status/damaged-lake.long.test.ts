/** Every kind of damage that `verify` knows: `status` has a report all the same, and says so if it had to leave something out. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { manifestsIn, remove } from '../verify/damage.ts';
import { at, damages } from '../verify/damages.ts';
import { makeNightLake, type NightLake } from '../verify/night-lake.ts';
import { statusOf } from './lake-status.ts';

let nights: NightLake;
beforeAll(async () => {
  nights = await makeNightLake();
}, 60_000);
afterAll(() => nights.close());

it.each(Object.keys(damages))('has a report of a lake in which %s', async (name) => {
  const lake = await nights.copy();
  await damages[name]?.(lake);
  const report = await statusOf(lake);
  expect(report.totals.drains).toBeGreaterThan(0);
  expect([0, 66, 74, 75]).toContain(report.exit_code);
  expect(report.exit_code === 74).toBe(report.unread_objects.length > 0);
});

it('has a report of a lake whose newest manifest is gone', async () => {
  const lake = await nights.copy();
  remove(lake, at(manifestsIn(lake), -1));
  expect(await statusOf(lake)).toMatchObject({ exit_code: 0 });
});
