#!/usr/bin/env node
/** The program starts here: it listens for signals, checks the Node version, then loads the rest. */

import { endAtOnce } from './command-line/end-at-once.ts';
import { endUntilAJobListens } from './command-line/signals.ts';
import { nodeProblem, programPackage } from './shared/program-package.ts';

endUntilAJobListens(process, (signal) => {
  process.stderr.write(
    `backup-copy-export: received ${signal} before the job began. Nothing was read or changed; start it again.\n`,
  );
  endAtOnce(75);
});

const problem = nodeProblem(process.versions.node, programPackage().requiredNode);
if (problem === null) {
  const jobs = {
    export: async () => (await import('../jobs/export.ts')).exportJob,
    plan: async () => (await import('../jobs/plan.ts')).planJob,
    query: async () => (await import('../jobs/query.ts')).queryJob,
    status: async () => (await import('../jobs/status.ts')).statusJob,
    verify: async () => (await import('../jobs/verify.ts')).verifyJob,
    repair: async () => (await import('../jobs/repair.ts')).repairJob,
    rebucket: async () => (await import('../jobs/rebucket.ts')).rebucketJob,
    simulate: async () => (await import('../jobs/simulate.ts')).simulateJob,
    catalog: async () => (await import('../jobs/catalog.ts')).catalogJob,
  };
  const args = process.argv.slice(2);
  // The job is nearly always the first word. Then the others need not be loaded.
  const named = Object.entries(jobs).filter(([name]) => name === args[0]);
  const loading = (named.length > 0 ? named : Object.entries(jobs)).map(([, load]) => load());
  const [{ runCommandLine }, ...loaded] = await Promise.all([
    import('./command-line/command-line.ts'),
    ...loading,
  ]);
  await runCommandLine(args, {
    jobs: loaded,
    helpOfQuestion: async (words) =>
      words[0] === 'query' ? (await import('../jobs/query.ts')).helpOfQuestion(words) : null,
  });
} else {
  process.stderr.write(`backup-copy-export: ${problem}\n`);
  process.exitCode = 64;
}
