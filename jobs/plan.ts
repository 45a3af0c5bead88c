import type { CommandModule } from 'yargs';
import { exportOptionNames, optionsOf } from '../src/options/options.ts';
import { runReportingJob, yargsOptions } from '../src/reporting-job.ts';
import { renderPlanSummary } from '../src/telemetry/summary.ts';

/** `plan`: what export would do; writes nothing. */
export const planJob: CommandModule = {
  command: 'plan',
  describe: 'Say what export would do, by trying; writes nothing',
  builder: yargsOptions(optionsOf(exportOptionNames)),
  handler: (argv) =>
    runReportingJob({
      job: 'plan',
      argv,
      run: async (settings, io) => (await import('../src/plan.ts')).runPlan(settings, io),
      render: renderPlanSummary,
    }),
};
