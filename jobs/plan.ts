import type { CommandModule } from 'yargs';
import { exportOptionNames, optionsOf } from '../src/options/options.ts';
import { runReportingJob, yargsOptions } from '../src/reporting-job.ts';
import { parseSettings } from '../src/settings.ts';
import { renderPlanSummary } from '../src/telemetry/plan-summary.ts';

/** `plan`: what export would do; writes nothing. */
export const planJob: CommandModule = {
  command: 'plan',
  describe: 'Say what export would do, by trying; writes nothing',
  builder: yargsOptions(optionsOf(exportOptionNames)),
  handler: (argv) =>
    runReportingJob({
      job: 'plan',
      argv,
      parse: parseSettings,
      run: async (settings, io) => (await import('../src/plan.ts')).runPlan(settings, io),
      reportIsAll: () => true,
      render: renderPlanSummary,
    }),
};
