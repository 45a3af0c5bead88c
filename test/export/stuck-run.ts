/** A run that reads, and whose file system no longer responds. */
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import type { Flags, Lab } from '../support/lab.ts';
import { makePipe, poolIsStuck, stuckAtSignal } from '../support/stuck-pool.ts';

/** AWS does not respond either, so the run has begun and does not end by itself. */
export async function stuckRun(lab: Lab, flags: Flags = {}) {
  lab.simulator.addFaults([{ kind: 'hang', api: 'ListCopyJobs', region: lab.region(1) }]);
  const run = lab.start(flags, ['--import', stuckAtSignal(makePipe(lab.folder))]);
  onTestFinished(() => void run.child.kill('SIGKILL'));
  let stderr = '';
  run.child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  /** Resolves when the run has written this on stderr. */
  const said = async (words: string): Promise<void> => {
    while (!stderr.includes(words)) await once(run.child.stderr, 'data');
  };
  await lab.until(async () => lab.simulator.faults().some(({ met }) => met > 0));
  run.child.kill('SIGUSR2');
  await said(poolIsStuck);
  return { ...run, said };
}
