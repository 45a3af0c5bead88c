/** npm run reference: writes the pages of docs/reference/ anew that are made from the program's own definitions. */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { tablesPage } from '../src/catalog/tables-page.ts';
import { viewColumns } from '../src/catalog/view-columns.ts';
import { loadQuestions, loadViews } from '../src/questions/questions.ts';
import { exitCodes } from '../src/shared/exit-codes.ts';
import { faultKinds } from '../src/simulator/faults.ts';
import { copyJobSummaries } from '../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../src/tables/copy-jobs.ts';
import { exportCoverage } from '../src/tables/export-coverage.ts';
import { exportReconciliation } from '../src/tables/export-reconciliation.ts';
import { findingKinds } from '../src/verify/finding.ts';
import { optionsPage } from './options-page.ts';

const folder = new URL('../docs/reference/', import.meta.url);

/** The page of tables, views and questions as it should be now. */
export async function currentTablesPage(): Promise<string> {
  const tables = [copyJobs, copyJobSummaries, exportCoverage, exportReconciliation];
  const views = loadViews();
  return tablesPage({
    tables,
    views,
    viewColumns: await viewColumns(tables, views),
    questions: loadQuestions(),
  });
}

/** A table within a page; the rest of the page is written by hand. */
interface PagePart {
  readonly page: string;
  /** What the marks around the table call it. */
  readonly what: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export const exitCodesTable: PagePart = {
  page: 'exit-codes.md',
  what: 'exit codes',
  head: ['code', 'meaning'],
  rows: Object.entries(exitCodes),
};

export const faultsTable: PagePart = {
  page: 'simulate.md',
  what: 'kinds of faults',
  head: ['kind', 'what it does'],
  rows: Object.entries(faultKinds).map(([kind, effect]) => [`\`${kind}\``, effect]),
};

export const findingsTable: PagePart = {
  page: 'findings.md',
  what: 'kinds of findings',
  head: ['kind', 'severity', 'meaning', 'what to do'],
  rows: Object.entries(findingKinds).map(([kind, { severity, meaning, remedy }]) => [
    `\`${kind}\``,
    severity,
    meaning,
    remedy,
  ]),
};

/**
 * The page with its table anew.
 * @throws Error if the page has lost the place for the table
 */
export function withTable({ page, what, head, rows }: PagePart, text: string): string {
  const [begin, end] = [`<!-- begin ${what}: written by npm run reference -->`, `<!-- end ${what} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) {
    throw new Error(
      `docs/reference/${page} has no place for the ${what}. Put these lines in it:\n${begin}\n${end}`,
    );
  }
  const table = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `${text.slice(0, from + begin.length)}\n${table.join('\n')}\n${text.slice(to)}`;
}

/** The text of a page as it is now. */
export function writtenPage(name: string): string {
  return readFileSync(new URL(name, folder), 'utf8');
}

/** The text of each page as it should be now. */
export const pages: Readonly<Record<string, () => string | Promise<string>>> = {
  'options.md': optionsPage,
  'exit-codes.md': () => withTable(exitCodesTable, writtenPage('exit-codes.md')),
  'findings.md': () => withTable(findingsTable, writtenPage('findings.md')),
  'simulate.md': () => withTable(faultsTable, writtenPage('simulate.md')),
  'tables.md': currentTablesPage,
};

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const [name, text] of Object.entries(pages)) writeFileSync(new URL(name, folder), await text());
}
