import type { CommandModule } from 'yargs';
import { parseCatalogSettings } from '../src/catalog/catalog-settings.ts';
import { runReportingJob } from '../src/command-line/run-job.ts';
import { yargsOptions } from '../src/command-line/yargs-options.ts';
import { optionsOf, ownOptionNames } from '../src/config/options.ts';

/** `catalog`: tables and views for Athena and Trino, as SQL statements or directly in Glue. */
export const catalogJob: CommandModule = {
  command: 'catalog [action]',
  describe:
    'The tables and views in Athena or Trino: print the SQL (ddl), create or update them in Glue (apply), or compare Glue with the lake (check)',
  builder: (yargs) =>
    yargs
      .positional('action', {
        type: 'string',
        describe:
          'ddl: print SQL statements; apply: create and update tables and views in Glue, never removing any; check: compare Glue with the lake',
      })
      .options(yargsOptions(optionsOf(ownOptionNames('catalog')))),
  handler: (argv) =>
    runReportingJob({
      job: 'catalog',
      argv,
      parse: parseCatalogSettings,
      run: async (settings, io) => {
        const [{ runCatalog }, { loadViews }] = await Promise.all([
          import('../src/catalog/catalog.ts'),
          import('../src/questions/questions.ts'),
        ]);
        return await runCatalog(settings, loadViews(), io);
      },
      reportIsAll: ({ action }) => action === 'ddl',
      render: async (report) =>
        (await import('../src/catalog/catalog-report.ts')).renderCatalogReport(report),
    }),
};
