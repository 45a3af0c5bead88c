/** npm run tables: writes docs/tables.md anew from the tables' definitions, the views and the questions. */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { tablesPage } from '../src/catalog/tables-page.ts';
import { viewColumns } from '../src/catalog/view-columns.ts';
import { loadQuestions, loadViews } from '../src/questions/questions.ts';
import { copyJobSummaries } from '../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../src/tables/copy-jobs.ts';
import { exportCoverage } from '../src/tables/export-coverage.ts';

/** The page as it should be now. */
export async function currentPage(): Promise<string> {
  const tables = [copyJobs, copyJobSummaries, exportCoverage];
  const views = loadViews();
  return tablesPage({
    tables,
    views,
    viewColumns: await viewColumns(tables, views),
    questions: loadQuestions(),
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(new URL('../docs/tables.md', import.meta.url), await currentPage());
}
