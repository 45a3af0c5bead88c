#!/usr/bin/env node
/** Where the program begins: it listens for signals, then loads the rest, under a Node that can run it. */
import { nodeProblem, programPackage } from './package.ts';
import { endUntilAJobListens } from './signals.ts';

endUntilAJobListens(process, (signal) => {
  process.stderr.write(
    `backup-copy-export: ${signal} came before the job began: nothing was read or changed. Start it again.\n`,
  );
  process.exit(75);
});

const problem = nodeProblem(process.versions.node, programPackage().requiredNode);
if (problem === null) {
  await import('./command-line.ts');
} else {
  process.stderr.write(`backup-copy-export: ${problem}\n`);
  process.exitCode = 64;
}
