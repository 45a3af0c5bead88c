#!/usr/bin/env node
/** Where the program begins: it loads the rest only under a Node that can run it. */
import { nodeProblem, programPackage } from './package.ts';

const problem = nodeProblem(process.versions.node, programPackage().requiredNode);
if (problem === null) {
  await import('./command-line.ts');
} else {
  process.stderr.write(`backup-copy-export: ${problem}\n`);
  process.exitCode = 64;
}
