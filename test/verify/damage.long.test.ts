import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPart } from '../../src/lake/engines/part-reader.ts';
import { forgeLedger, keysIn, manifestAt, manifestsIn, rewritePart } from './damage.ts';
import { at, contents, damages, dayOf, forgeEarlier, part, replacedPart } from './damages.ts';
import { makeNightLake, type NightLake, told, verified } from './night-lake.ts';

let nights: NightLake;
beforeAll(async () => {
  nights = await makeNightLake();
}, 60_000);
afterAll(() => nights.close());

describe('the rows of a part', () => {
  it.each(Object.entries(contents))(
    '%s: it is found, also in a lake whose ledger was forged to agree',
    async (_, { kind, make }) => {
      const lake = await nights.copy();
      const key = part(lake);
      await make(lake, key);
      expect([...told(await verified(lake))].sort()).toEqual(
        [`${kind} ${key}`, `part-changed ${key}`].sort(),
      );
      forgeLedger(lake, key, await rowsIn(join(lake, key)));
      expect(told(await verified(lake))).toEqual([`${kind} ${key}`]);
    },
  );

  it('a job that lies in the parts of two days is found', async () => {
    const lake = await nights.copy();
    const one = part(lake);
    const bucket = one.slice(-'00000.parquet'.length);
    const other = at(
      keysIn(lake, 'copy_jobs').filter((key) => key.endsWith(bucket) && key !== one),
      0,
    );
    const days = (Date.parse(dayOf(other)) - Date.parse(dayOf(one))) / 86_400_000;
    await rewritePart(
      lake,
      other,
      `SELECT * FROM (FROM part UNION ALL (
         SELECT * REPLACE ((creation_time + INTERVAL ${days} DAY)::TIMESTAMP_MS AS creation_time,
           duration_ms - ${days * 86_400_000} AS duration_ms)
         FROM read_parquet(['${join(lake, one)}'], hive_partitioning = false) LIMIT 1))
       ORDER BY account_id, region, creation_time, copy_job_id`,
    );
    forgeLedger(lake, other, await rowsIn(join(lake, other)));
    const later = one < other ? other : one;
    const report = await verified(lake);
    expect(told(report)).toEqual([`rows-doubled ${later}`]);
    expect(report.findings[0]?.what).toContain('1 job of it is in');
  });

  it('a manifest that names another number of rows is found', async () => {
    const lake = await nights.copy();
    const key = part(lake);
    forgeLedger(lake, key, 1000);
    expect(told(await verified(lake))).toEqual([`row-count-wrong ${key}`]);
  });
});
async function rowsIn(file: string): Promise<number> {
  return (await openPart(file)).rows;
}

describe('damage', () => {
  it.each(Object.entries(damages))('%s: this is found, and nothing else', async (_, damage) => {
    const lake = await nights.copy();
    const expected = await damage(lake);
    const report = await verified(lake);
    expect([...told(report)].sort()).toEqual([...expected].sort());
    const isDamage = report.findings.some(({ severity }) => severity === 'damage');
    expect(report.exit_code).toBe(isDamage ? 80 : 0);
    expect(report.verdict).toBe(isDamage ? 'damaged' : 'warnings');
  });

  it('a part that is an earlier state of itself is found, and the state before it is named', async () => {
    const lake = await nights.copy();
    const key = replacedPart(lake);
    const writes = manifestsIn(lake).flatMap((one) =>
      manifestAt(lake, one).parts.filter((each) => each.key === key),
    );
    await rewritePart(lake, key, 'FROM part LIMIT 1');
    // The manifest of the first write names these bytes, as it named the first bytes before.
    forgeEarlier(lake, key);
    const report = await verified(lake);
    expect(told(report)).toEqual([`part-rolled-back ${key}`]);
    expect(report.findings[0]?.expected?.sha256).toBe(writes.at(-1)?.sha256);
  });
});
