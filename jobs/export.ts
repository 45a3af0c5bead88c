import type { CommandModule } from 'yargs';
import { yargsOptions } from '../src/command-line/options-input.ts';
import { runReportingJob } from '../src/command-line/run-job.ts';
import { exportOptionNames, optionsOf } from '../src/config/options.ts';
import { parseSettings } from '../src/config/settings.ts';
import { renderRunSummary } from '../src/telemetry/summary.ts';

/** `export`: drain, merge, publish, prove. */
export const exportJob: CommandModule = {
  command: 'export',
  describe: 'Read the copy jobs of AWS Backup into the lake',
  builder: yargsOptions(optionsOf(exportOptionNames)),
  handler: (argv) =>
    runReportingJob({
      job: 'export',
      argv,
      parse: parseSettings,
      // The AWS SDK and the engine are loaded only when there is something to do for them.
      run: async (settings, io) => (await import('../src/export/export.ts')).runExport(settings, io),
      reportIsAll: () => false,
      render: renderRunSummary,
    }),
};
