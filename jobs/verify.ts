import type { CommandModule } from 'yargs';
import { runReportingJob } from '../src/command-line/run-job.ts';
import { yargsOptions } from '../src/command-line/yargs-options.ts';
import { optionsOf, ownOptionNames } from '../src/config/options.ts';
import { verifyOptions } from '../src/config/verify-options.ts';
import { parseVerifySettings } from '../src/verify/verify-settings.ts';

/** `verify`: reads the lake again and compares it with its ledger. */
export const verifyJob: CommandModule = {
  command: 'verify',
  describe: 'Read the lake again, compare it with its ledger, and report all damage that shows',
  builder: (yargs) =>
    yargs
      .options(yargsOptions({ ...optionsOf(ownOptionNames('verify')), ...verifyOptions }))
      .example('$0 verify --lake s3://bucket/prefix --subset today/30', ''),
  handler: (argv) =>
    runReportingJob({
      job: 'verify',
      argv,
      parse: parseVerifySettings,
      run: async (settings, io) => {
        const { runVerify } = await import('../src/verify/verify.ts');
        return await runVerify(settings, { ...io, now: Date.now });
      },
      reportIsAll: () => true,
      render: async (...shown) => (await import('../src/verify/verdict-text.ts')).renderVerdict(...shown),
      renderPage: async (report) => (await import('../src/verify/verdict-page.ts')).renderVerdictPage(report),
    }),
};
