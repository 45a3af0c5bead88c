/** What a job receives from the command line that runs it. */
import type { Logger } from 'pino';
import type { Progress } from './progress.ts';

/** The process around a job: its environment, and stderr past the log. */
export interface JobSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes whole lines to stderr. */
  readonly write: (lines: string) => void;
}

export interface JobIo {
  readonly log: Logger;
  readonly progress: Progress;
  /** Aborted by the first signal to stop: a run then starts no new drains, and publishes for up to 15 seconds. */
  readonly stopping: AbortSignal;
  readonly programVersion: string;
}
