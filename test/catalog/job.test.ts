import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandLines, openCommandLines, processOf } from '../support/command-lines.ts';

let empty: string;
let commandLines: CommandLines;

beforeAll(async () => {
  empty = await mkdtemp(join(tmpdir(), 'bce-catalog-job-'));
  commandLines = openCommandLines(empty);
});
afterAll(async () => {
  await commandLines.close();
  await rm(empty, { recursive: true, force: true });
});

const catalog = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  processOf(empty, ['catalog', ...args], { HOME: empty, ...env });

describe('catalog ddl', () => {
  it('needs no AWS where the first day is said, and takes its options from the environment too', async () => {
    const { code, stdout, stderr } = await catalog(['ddl', '--lake', 's3://bucket/lake'], {
      BACKUP_COPY_EXPORT_DATABASE: 'from_environment',
      BACKUP_COPY_EXPORT_FIRST_DAY: '2024-02-29',
    });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('CREATE EXTERNAL TABLE IF NOT EXISTS `from_environment`.`copy_jobs` (');
    expect(stdout).toContain("'2024-02-29,NOW'");
    expect(stdout.match(/;$/gm)?.length).toBeGreaterThan(4);
  });

  it('writes for Trino over a local lake, too', async () => {
    const { code, stdout } = await catalog(['ddl', '--lake', './lake', '--dialect', 'trino']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/external_location = 'file:\/\/\/.*\/lake\/copy_jobs\/'/);
  });

  it('gives the statements one by one as JSON', async () => {
    const { stdout } = await catalog([
      ...['ddl', '--lake', 's3://bucket/lake', '--first-day', '2024-01-01', '--output', 'json'],
    ]);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ action: 'ddl', exit_code: 0, dialect: 'athena' });
    expect(report.statements.length).toBeGreaterThan(4);
    for (const statement of report.statements) expect(statement).toMatch(/^(--[^\n]*\n)?CREATE .*[^;]$/s);
  });
});

describe('a wrong command line ends with 64, one line on stderr and nothing on stdout', () => {
  it.each<readonly [string, readonly string[], RegExp]>([
    ['no action', ['--lake', 's3://bucket/lake'], /needs an action\. Write catalog ddl, catalog apply/],
    ['an unknown action', ['drop', '--lake', 's3://bucket/lake'], /catalog has no action drop/],
    ['no lake', ['ddl'], /--lake is required/],
    ['a local lake for Athena', ['ddl', '--lake', './lake'], /local folder, but Athena only reads S3/],
    ['a local lake for Glue', ['apply', '--lake', './lake'], /local folder, but Athena only reads S3/],
    [
      'a prefix with a partition’s name',
      ['ddl', '--lake', `s3://bucket/\${x}`],
      /reads as the name of a partition/,
    ],
    ['a bad database', ['ddl', '--lake', 's3://bucket/x', '--database', 'a-b'], /not a database name/],
    [
      'a bad day',
      ['ddl', '--lake', 's3://bucket/x', '--first-day', '2026-02-30'],
      /a date that does not exist/,
    ],
    [
      'an instant for a day',
      ['ddl', '--lake', 's3://bucket/x', '--first-day', '2026-02-20T00:00:00Z'],
      /not a day/,
    ],
    [
      'Trino for Glue',
      ['check', '--lake', 's3://bucket/x', '--dialect', 'trino'],
      /works on Glue, not on Trino/,
    ],
    ['a dry run of nothing', ['check', '--lake', 's3://bucket/x', '--dry-run'], /never changes anything/],
    ['an option of export', ['ddl', '--lake', 's3://bucket/x', '--since', 'all'], /Unknown option: --since/],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await commandLines.run(['catalog', ...args]);
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(/^backup-copy-export: [^\n]+\n$/);
  });
});

it('changes nothing in AWS but the database and its tables, and deletes nothing', async () => {
  const folder = fileURLToPath(new URL('../../src/catalog', import.meta.url));
  const commands = new Set<string>();
  for (const file of await readdir(folder)) {
    const text = await readFile(join(folder, file), 'utf8');
    for (const [, command] of text.matchAll(/\bnew (\w+Command)\(/g)) commands.add(String(command));
  }
  expect([...commands].sort()).toEqual([
    'CreateDatabaseCommand',
    'CreateTableCommand',
    'GetDatabaseCommand',
    'GetQueryExecutionCommand',
    'GetTableCommand',
    'StartQueryExecutionCommand',
    'UpdateDatabaseCommand',
    'UpdateTableCommand',
  ]);
});
