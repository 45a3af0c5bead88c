import { tmpdir } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../src/lake/engines/duckdb-database.ts';

const mebibyte = 2 ** 20;
const opened: Database[] = [];

afterEach(async () => {
  for (const database of opened.splice(0)) await database.remove();
});

test('each connection has the memory that it was opened with, also after others, and in a new instance', async () => {
  const database = await openDatabase({ memoryLimitBytes: 256 * mebibyte, scratch: tmpdir() });
  opened.push(database);
  const limitOf = async (mebibytes: number) => {
    const connection = await database.connect(undefined, mebibytes * mebibyte);
    const answer = await connection.runAndReadAll("SELECT current_setting('memory_limit')");
    connection.closeSync();
    return answer.getRowsJS()[0]?.[0];
  };
  expect(await limitOf(128)).toBe('128.0 MiB');
  expect(await limitOf(64)).toBe('64.0 MiB');
  expect(await limitOf(64)).toBe('64.0 MiB');
  database.close();
  expect(await limitOf(64)).toBe('64.0 MiB');
});
