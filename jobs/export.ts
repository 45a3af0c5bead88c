import type { CommandModule } from 'yargs';
import { runReportingJob } from '../src/command-line/run-job.ts';
import { yargsOptions } from '../src/command-line/yargs-options.ts';
import { exportOptionNames, optionsOf } from '../src/config/options.ts';
import { parseSettings } from '../src/config/settings.ts';
import { timeLimit } from '../src/export/time-limit.ts';

/** `export`: reads copy jobs and summaries from AWS Backup, merges them into the lake and records the coverage. */
export const exportJob: CommandModule = {
  command: 'export',
  describe: 'Export copy jobs from AWS Backup into the lake',
  builder: yargsOptions(optionsOf(exportOptionNames)),
  handler: (argv) =>
    runReportingJob({
      job: 'export',
      argv,
      parse: parseSettings,
      run: async (settings, io, around) => {
        const { startRun } = await import('../src/export/start-run.ts');
        const start = startRun(settings, io);
        // The engine and the clients of other services are loaded while the first responses are on their way.
        await start.sent;
        const { runMeasuredExport } = await import('../src/export/measured-export.ts');
        return await runMeasuredExport(settings, io, around, start);
      },
      timeLimit: (settings) =>
        timeLimit(
          settings,
          'The lake is consistent; this run shows as unfinished, and the next run reads what it did not publish.',
        ),
      reportIsAll: () => false,
      render: async (...shown) =>
        (await import('../src/telemetry/run-summary-text.ts')).renderRunSummary(...shown),
    }),
};
