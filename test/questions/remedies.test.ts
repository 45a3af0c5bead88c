import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { loadQuestions } from '../../src/questions/questions.ts';
import { adviceByError, adviceFor } from '../../src/telemetry/advice.ts';

const statuses = [
  ...['ACCESS_DENIED', 'ASSUME_ROLE_FAILED', 'REGION_DISABLED', 'THROTTLED', 'TIMED_OUT', 'UNREACHABLE'],
  ...['INTERRUPTED', 'SKIPPED', 'PUBLISH_FAILED', 'REJECTED_RECORDS', 'FAILED'],
] as const;
const errors = [null, 'SomeError', ...adviceByError.flatMap(({ errors: names }) => names)];

test('failing-targets gives the advice of the exporter, for every status and error', async () => {
  const sql = loadQuestions().find(({ name }) => name === 'failing-targets')?.sql ?? '';
  const [, remedy = ''] = /\n {2}(CASE\n(?: {4}.*\n)+ {2}END) AS remedy/.exec(sql) ?? [];
  const pairs = statuses.flatMap((status) => errors.map((error) => ({ status, error })));
  const values = pairs.map(
    ({ status, error }) => `('${status}', ${error === null ? 'NULL::VARCHAR' : `'${error}'`})`,
  );
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  try {
    const rows = await connection.runAndReadAll(
      `SELECT ${remedy} FROM (VALUES ${values}) AS dated (last_status, last_error_name)`,
    );
    const inSql = rows.getRows().map(([text], at) => ({ ...pairs[at], text }));
    expect(inSql).toEqual(pairs.map((pair) => ({ ...pair, text: adviceFor(pair.status, pair.error) })));
  } finally {
    connection.closeSync();
  }
});
