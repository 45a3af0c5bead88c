import type { CommandModule } from 'yargs';
import { actions, parseCatalogSettings } from '../src/catalog/catalog-settings.ts';
import { renderCatalogReport } from '../src/catalog/report.ts';
import { yargsOptions } from '../src/command-line/options-input.ts';
import { runReportingJob } from '../src/command-line/run-job.ts';
import { optionsOf, ownOptionNames } from '../src/config/options.ts';

/** `catalog`: the tables and views for Athena and Trino, as statements or straight in Glue. */
export const catalogJob: CommandModule = {
  command: 'catalog [action]',
  describe: 'Say or make the tables and views for Athena and Trino: ddl, apply, check',
  builder: (yargs) =>
    yargs
      .positional('action', {
        type: 'string',
        describe: `${actions.join(', ')}: write statements; make Glue agree, by adding only; say what is out of step`,
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
      render: renderCatalogReport,
    }),
};
