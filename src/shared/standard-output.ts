/** Writes a result to stdout, and explains why that failed. */
import type { Writable } from 'node:stream';
import { OutputError } from './errors.ts';

/**
 * Resolves with true when the text was written, and with false when the reader has closed the pipe (`| head`), which is
 * no failure.
 * @throws OutputError when writing failed for another reason: a full disk, a closed terminal
 */
export function writeOut(stream: Writable, text: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error === null || error === undefined) return resolve(true);
      // After its first error, a stream only reports that it is destroyed.
      const problem = outputProblem(stream.errored ?? error);
      if (problem === null) resolve(false);
      else reject(problem);
    });
  });
}

/** Null: the reader has closed the pipe, as `| head` does. */
export function outputProblem(error: NodeJS.ErrnoException): OutputError | null {
  if (error.code === 'EPIPE') return null;
  return new OutputError(
    `The result could not be written to stdout (${error.code ?? error.message})`,
    'Send it to a writable place with enough free space, and run the command again.',
    { cause: error },
  );
}
