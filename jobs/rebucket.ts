import type { CommandModule } from 'yargs';
import { runReportingJob } from '../src/command-line/run-job.ts';
import { yargsOptions } from '../src/command-line/yargs-options.ts';
import { optionsOf, ownOptionNames } from '../src/config/options.ts';
import { parseRebucketSettings } from '../src/rebucket/rebucket-settings.ts';

/** `rebucket`: changes how many buckets, and so how many parts for each partition, a lake has. */
export const rebucketJob: CommandModule = {
  command: 'rebucket',
  describe:
    'Change the number of files per partition (buckets) of a lake, so that more shards can share it; needs the right to delete',
  builder: yargsOptions(optionsOf(ownOptionNames('rebucket'))),
  handler: (argv) =>
    runReportingJob({
      job: 'rebucket',
      argv,
      parse: parseRebucketSettings,
      run: async (settings, io) =>
        (await import('../src/rebucket/rebucket.ts')).runRebucket(settings, {
          ...io,
          localNow: () => Date.now(),
        }),
      reportIsAll: () => false,
      render: async (report) => (await import('../src/rebucket/rebucket-report.ts')).renderRebucket(report),
    }),
};
