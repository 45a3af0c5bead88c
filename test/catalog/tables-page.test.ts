import { expect, test } from 'vitest';
import { currentTablesPage } from '../../scripts/reference.ts';
import { viewColumns } from '../../src/catalog/view-columns.ts';
import { loadQuestions, loadViews } from '../../src/questions/questions.ts';
import { copyJobSummaries } from '../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import { exportCoverage } from '../../src/tables/export-coverage.ts';
import { exportReconciliation } from '../../src/tables/export-reconciliation.ts';

const tables = [copyJobs, copyJobSummaries, exportCoverage, exportReconciliation];

test('every column of every table, every view and every question with its parameters is there', async () => {
  const page = await currentTablesPage();
  for (const table of tables) {
    const section = page.split(`\n### ${table.name}\n`)[1]?.split('\n### ')[0];
    for (const { name, example } of table.columns) {
      const row = section?.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
      expect(row, name).toContain(`\`${example.replaceAll('|', '\\|')}\``);
    }
  }
  for (const { name, parameters } of loadQuestions()) {
    const section = page.split(`\n### ${name}\n`)[1]?.split('\n### ')[0];
    for (const parameter of parameters) expect(section, name).toContain(`| \`--${parameter.name}\` |`);
  }
  const columns = await viewColumns(tables, loadViews());
  for (const { name } of loadViews()) {
    expect(columns.get(name)?.length, name).toBeGreaterThan(0);
    const section = page.split(`\n### ${name}\n`)[1]?.split('\n### ')[0];
    for (const column of columns.get(name) ?? []) expect(section).toContain(`| \`${column.name}\` |`);
  }
});

test('every column of a view that no table has is explained in the view’s file, and no other', async () => {
  const columns = await viewColumns(tables, loadViews());
  for (const view of loadViews()) {
    const computed = columns.get(view.name)?.filter(({ source }) => source === null) ?? [];
    const names = computed.map(({ name }) => name);
    expect(view.columns.map(({ name }) => name).sort(), view.name).toEqual(names.sort());
  }
});

test('a view’s column is followed to the table it comes from, through views, sub-queries and renaming', async () => {
  const view = (name: string, sql: string) => ({ name, title: '', about: '', sql });
  const found = await viewColumns(tables, [
    view(
      'inner_one',
      `SELECT state AS how, max(creation_time) AS last, count(*) AS n FROM copy_jobs GROUP BY 1`,
    ),
    view('outer_one', 'SELECT how AS it, last, n FROM (SELECT how, last, n FROM inner_one) x'),
  ]);
  const [it, last, n] = found.get('outer_one') ?? [];
  expect(it).toMatchObject({ type: 'VARCHAR', source: { table: 'copy_jobs', column: { name: 'state' } } });
  expect(it?.expression).toBeNull();
  expect(last).toMatchObject({
    source: { column: { name: 'creation_time' } },
    expression: 'max(creation_time)',
  });
  expect(n).toMatchObject({ type: 'BIGINT', source: null, expression: 'count(*)' });
});
