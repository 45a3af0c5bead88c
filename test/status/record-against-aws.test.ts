import { DuckDBInstance } from '@duckdb/node-api';
import { expect, it } from 'vitest';
import { readRecordAgainstAws } from '../../src/status/record-against-aws.ts';

const now = Date.UTC(2026, 10, 21, 9);
const at = (day: number) => Date.UTC(2026, 10, day, 2);

it('tells how AWS’s counts compare with the record, by the last comparison of each day that AWS still counts', async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`CREATE TABLE export_reconciliation (run_id VARCHAR, as_of TIMESTAMP_MS, account_id VARCHAR,
    account_name VARCHAR, region VARCHAR, creation_date VARCHAR, scope VARCHAR, aws_count BIGINT, lake_count BIGINT,
    missing_jobs BIGINT, surplus_jobs BIGINT)`);
  const row = (run: string, asOf: number, day: string, counts: readonly number[], scope = 'day') =>
    connection.run(
      `INSERT INTO export_reconciliation VALUES ('${run}', make_timestamp_ms(${asOf}), '111122223333', 'payments',
       'eu-west-1', '${day}', '${scope}', ${counts})`,
    );
  await row('a', at(19), '2026-11-17', [5, 4, 1, 0]); // healed by the next run
  await row('b', at(20), '2026-11-17', [5, 5, 0, 0]);
  await row('b', at(20), '2026-11-18', [7, 9, 0, 2]);
  await row('b', at(20), '2026-11-18', [7, 9, 0, 2], 'kind'); // the same difference again
  await row('b', at(20), '2026-11-01', [3, 1, 2, 0]); // AWS no longer counts it
  await row('c', now + 1, '2026-11-17', [5, 0, 5, 0]); // after the time that the report speaks of
  expect(await readRecordAgainstAws(connection, now)).toEqual({
    compared: 2,
    last_compared_at: '2026-11-20T02:00:00.000Z',
    missing_jobs: 0,
    surplus_jobs: 2,
    differences: [
      {
        day: '2026-11-18',
        account_id: '111122223333',
        account_name: 'payments',
        region: 'eu-west-1',
        aws_count: 7,
        lake_count: 9,
        missing_jobs: 0,
        surplus_jobs: 2,
        compared_at: '2026-11-20T02:00:00.000Z',
      },
    ],
  });
  connection.closeSync();
  instance.closeSync();
});
