import type { CommandModule } from 'yargs';
import { runReportingJob } from '../src/command-line/run-job.ts';
import { yargsOptions } from '../src/command-line/yargs-options.ts';
import { optionsOf, ownOptionNames } from '../src/config/options.ts';
import { userOfThisMachine } from '../src/shared/machine-user.ts';
import { parseStatusSettings } from '../src/status/status-settings.ts';

/** `status`: what is proven, what is missing and what is lost, from the lake alone. */
export const statusJob: CommandModule = {
  command: 'status',
  describe:
    'Show what is proven, what is missing and what is lost, and how long until AWS deletes unread records',
  builder: yargsOptions(optionsOf(ownOptionNames('status'))),
  handler: (argv) =>
    runReportingJob({
      job: 'status',
      argv,
      parse: parseStatusSettings,
      run: async (settings, io) =>
        // Loads the engine only when it is needed.
        (await import('../src/status/status.ts')).runStatus(settings, {
          ...io,
          localNow: () => Date.now(),
          user: () => userOfThisMachine(),
        }),
      reportIsAll: () => true,
      render: async (...shown) => (await import('../src/status/status-text.ts')).renderStatus(...shown),
      renderPage: async (report) => (await import('../src/status/status-page.ts')).renderStatusPage(report),
    }),
};
