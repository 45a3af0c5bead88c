/** Programs that nobody here wrote, as the tests ask them. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pythonPeers } from '../python.ts';

/** A program of the Python environment, with a text on its standard input. */
export async function ended(
  program: string,
  args: readonly string[],
  input = '',
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const python = await pythonPeers();
  return new Promise((resolve) => {
    const child = execFile(join(python, program), args, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const exitCode = typeof error?.code === 'number' ? error.code : error ? -1 : 0;
      resolve({ exitCode, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

/** What parliament finds in a policy; nothing where it is good. */
export async function findings(policy: unknown): Promise<string> {
  const done = await ended('parliament', [], JSON.stringify(policy));
  if (done.stderr !== '') throw new Error(done.stderr);
  return done.stdout;
}
