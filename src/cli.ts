#!/usr/bin/env node
/** The program starts here: it listens for signals, checks the Node version, then loads the rest. */

import { endUntilAJobListens } from './command-line/signals.ts';
import { nodeProblem, programPackage } from './shared/program-package.ts';

endUntilAJobListens(process, (signal) => {
  process.stderr.write(
    `backup-copy-export: received ${signal} before the job began. Nothing was read or changed; start it again.\n`,
  );
  process.exit(75);
});

const problem = nodeProblem(process.versions.node, programPackage().requiredNode);
if (problem === null) {
  const [
    { runCommandLine },
    { exportJob },
    { planJob },
    { helpOfQuestion, queryJob },
    { simulateJob },
    { catalogJob },
    { statusJob },
    { verifyJob },
    { repairJob },
    { rebucketJob },
  ] = await Promise.all([
    import('./command-line/command-line.ts'),
    import('../jobs/export.ts'),
    import('../jobs/plan.ts'),
    import('../jobs/query.ts'),
    import('../jobs/simulate.ts'),
    import('../jobs/catalog.ts'),
    import('../jobs/status.ts'),
    import('../jobs/verify.ts'),
    import('../jobs/repair.ts'),
    import('../jobs/rebucket.ts'),
  ]);
  await runCommandLine(process.argv.slice(2), {
    jobs: [
      exportJob,
      planJob,
      queryJob,
      statusJob,
      verifyJob,
      repairJob,
      rebucketJob,
      simulateJob,
      catalogJob,
    ],
    helpOfQuestion,
  });
} else {
  process.stderr.write(`backup-copy-export: ${problem}\n`);
  process.exitCode = 64;
}
