/** The result of a query is no object of the lake: a Parquet file among the parts would be read as rows. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parseQuerySettings } from '../../src/query/query-settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'backup-copy-export-output-'));
mkdirSync(join(folder, 'lake/copy_jobs'), { recursive: true });
symlinkSync(join(folder, 'lake/copy_jobs'), join(folder, 'by-a-link'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const parsed = (file: string) =>
  parseQuerySettings({
    flags: { lake: 'lake', 'output-file': file },
    env: {},
    cwd: folder,
    temporaryFolder: tmpdir(),
    readFile: () => '',
  });

it.each([
  'lake/result.parquet',
  'lake/copy_jobs/new/result.csv',
  'by-a-link/result.csv',
  'other/../lake/a.json',
])('refuses %s', (file) => {
  expect(() => parsed(file)).toThrow(/--output-file names .* lies in the lake/);
});

it.each(['result.parquet', 'lake-2/result.csv'])('takes %s', (file) => {
  expect(parsed(file).outputFile).toBe(join(folder, file));
});
