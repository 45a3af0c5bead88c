import { afterEach, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
afterEach(() => lab.close());

it('a lake of several buckets holds each job once, each account in one bucket', async () => {
  lab = await openLab({ accounts: 6, listInDestination: true });
  await lab.run({ buckets: '4' });
  await lab.run({ since: 'all' });
  expect(await lab.differences()).toEqual([]);
  const buckets = new Map<string, Set<string>>();
  for (const [key, accounts] of await lab.accountsByPart('copy_jobs')) {
    const bucket = /part-(\d{5})\.parquet$/.exec(key)?.[1];
    for (const account of accounts)
      buckets.set(account, (buckets.get(account) ?? new Set()).add(String(bucket)));
  }
  expect([...buckets.values()].every((of) => of.size === 1)).toBe(true);
  expect(new Set([...buckets.values()].flatMap((of) => [...of])).size).toBeGreaterThan(1);
});
