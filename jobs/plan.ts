import type { CommandModule } from 'yargs';
import { runReportingJob } from '../src/command-line/run-job.ts';
import { yargsOptions } from '../src/command-line/yargs-options.ts';
import { exportOptionNames, optionsOf } from '../src/config/options.ts';
import { parseSettings } from '../src/config/settings.ts';
import { timeLimit } from '../src/export/time-limit.ts';

/** `plan`: shows what export would do; writes nothing. */
export const planJob: CommandModule = {
  command: 'plan',
  describe: 'Check permissions and targets, and show what export would do; write nothing',
  builder: yargsOptions(optionsOf(exportOptionNames)),
  handler: (argv) =>
    runReportingJob({
      job: 'plan',
      argv,
      parse: parseSettings,
      run: async (settings, io) => (await import('../src/export/plan.ts')).runPlan(settings, io),
      timeLimit: (settings) => timeLimit(settings, 'A plan changes nothing.'),
      reportIsAll: () => true,
      render: async (...shown) =>
        (await import('../src/telemetry/plan-summary-text.ts')).renderPlanSummary(...shown),
    }),
};
