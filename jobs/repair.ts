import type { CommandModule } from 'yargs';
import { runReportingJob } from '../src/command-line/run-job.ts';
import { yargsOptions } from '../src/command-line/yargs-options.ts';
import { optionsOf, ownOptionNames } from '../src/config/options.ts';
import { parseRepairSettings } from '../src/repair/repair-settings.ts';

/** `repair`: brings back what `verify` found damaged, from the bucket's versions. */
export const repairJob: CommandModule = {
  command: 'repair',
  describe:
    'Restore what verify found damaged, from earlier S3 versions, a backup or the witness; without --apply, only show what it would do',
  builder: yargsOptions(optionsOf(ownOptionNames('repair'))),
  handler: (argv) =>
    runReportingJob({
      job: 'repair',
      argv,
      parse: parseRepairSettings,
      run: async (settings, io) => {
        const [{ runRepair }, { lookAt }] = await Promise.all([
          import('../src/repair/repair.ts'),
          import('../src/repair/look.ts'),
        ]);
        // It looks several times, and only the last look ends the progress.
        const looking = { ...io, progress: { ...io.progress, stop: () => undefined }, now: Date.now };
        return await runRepair(settings, {
          ...io,
          now: Date.now,
          verify: () => lookAt(settings, looking),
        });
      },
      reportIsAll: ({ apply }) => !apply,
      render: async (report, columns) =>
        (await import('../src/repair/repair-text.ts')).renderRepair(report, columns),
    }),
};
