/** npm run reference: writes the pages of docs/reference/ anew that are made from the program's own definitions. */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { tablesPage } from '../src/catalog/tables-page.ts';
import { viewColumns } from '../src/catalog/view-columns.ts';
import { loadQuestions, loadViews } from '../src/questions/questions.ts';
import { exitCodes } from '../src/shared/exit-codes.ts';
import { copyJobSummaries } from '../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../src/tables/copy-jobs.ts';
import { exportCoverage } from '../src/tables/export-coverage.ts';
import { optionsPage } from './options-page.ts';

const folder = new URL('../docs/reference/', import.meta.url);
const begin = '<!-- begin exit codes: written by npm run reference -->';
const end = '<!-- end exit codes -->';

/** The page of tables, views and questions as it should be now. */
export async function currentTablesPage(): Promise<string> {
  const tables = [copyJobs, copyJobSummaries, exportCoverage];
  const views = loadViews();
  return tablesPage({
    tables,
    views,
    viewColumns: await viewColumns(tables, views),
    questions: loadQuestions(),
  });
}

/**
 * The page of exit codes with its table anew; the rest of it is written by hand.
 * @throws Error if the page has lost the place for the table
 */
export function withExitCodes(page: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) {
    throw new Error(
      `docs/reference/exit-codes.md has no place for the codes. Put these lines in it:\n${begin}\n${end}`,
    );
  }
  const rows = Object.entries(exitCodes).map(([code, meaning]) => `| ${code} | ${meaning} |`);
  const table = ['| code | meaning |', '| --- | --- |', ...rows].join('\n');
  return `${page.slice(0, from + begin.length)}\n${table}\n${page.slice(to)}`;
}

/** The text of a page as it is now. */
export function writtenPage(name: string): string {
  return readFileSync(new URL(name, folder), 'utf8');
}

/** The text of each page as it should be now. */
export const pages: Readonly<Record<string, () => string | Promise<string>>> = {
  'options.md': optionsPage,
  'exit-codes.md': () => withExitCodes(writtenPage('exit-codes.md')),
  'tables.md': currentTablesPage,
};

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const [name, text] of Object.entries(pages)) writeFileSync(new URL(name, folder), await text());
}
