/** The way of a result to stdout, and what it means when stdout does not take it. */
import type { Writable } from 'node:stream';
import { OutputError } from './errors.ts';

/**
 * Resolves with true when the text was taken, with false when its reader has gone (`| head`), which is no failure.
 * @throws OutputError when it could not be written for any other reason: a full disk, a terminal that went away
 */
export function writeOut(stream: Writable, text: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error === null || error === undefined) return resolve(true);
      // After its first error a stream only says that it is destroyed.
      const problem = outputProblem(stream.errored ?? error);
      if (problem === null) resolve(false);
      else reject(problem);
    });
  });
}

/** Null: the reader has gone, as after `| head`. */
export function outputProblem(error: NodeJS.ErrnoException): OutputError | null {
  if (error.code === 'EPIPE') return null;
  return new OutputError(
    `The result could not be written to stdout (${error.code ?? error.message})`,
    'Send it to a place with room that can be written to, and run the command again.',
    { cause: error },
  );
}
