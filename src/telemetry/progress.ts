import type { Telemetry } from '../config/settings.ts';
import type { Log } from './log.ts';
import { type Drain, RunProgress } from './run-progress.ts';
import type { Screen } from './screen.ts';

/** Shows the progress of a run: a bar on a terminal, log lines elsewhere. */
export interface Progress {
  /** What the run does before or after draining: `asking AWS which accounts there are`. */
  phase(what: string): void;
  /** Draining begins; these drains are planned. */
  drainStarted(planned: readonly Drain[]): void;
  /** A drain has begun. */
  drainBegan(drain: Drain): void;
  /** A page of the drain was read, with this many rows. */
  page(drain: Drain, rows: number): void;
  /** AWS throttled a request of this target. */
  throttled(target: Drain['target']): void;
  /** A drain has ended, successfully or not. */
  drained(drain: Drain, ok: boolean): void;
  /** Publishing of this many parts begins. This may happen several times in a run, while draining continues. */
  publishStarted(parts: number): void;
  /** A part is being published until the returned function is called. */
  publishing(key: string): () => void;
  /** A part is done: written, unchanged, or failed. */
  published(): void;
  /** A look at a lake has read so many of its objects, and found so much. */
  checked(done: number, of: number, findings: number): void;
  /** The run has ended. Restores the terminal. */
  stop(): void;
}

export interface ProgressOptions {
  readonly mode: Telemetry['progress'];
  readonly screen: Screen;
  readonly log: Log;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  /** Milliseconds between two log lines. */
  readonly every?: number;
}

/**
 * `auto`: a bar on a terminal, otherwise a structured log line (`event: progress`) every 30 s; `on`: always a bar,
 * without a terminal as plain lines; `off`: nothing.
 */
export async function createProgress(options: ProgressOptions): Promise<Progress> {
  const { mode, screen, now } = options;
  const standing = new RunProgress(now);
  if (mode === 'off')
    return counting(
      standing,
      () => {},
      () => {},
    );
  if (mode === 'auto' && !screen.stream.isTTY) return logLines(options, standing);
  // Loaded only where somebody watches: it takes as long as a tenth of a short run.
  const { progressBar } = await import('./progress-bar.ts');
  const { changed, stop } = progressBar(screen, standing);
  return counting(standing, changed, stop);
}

function counting(standing: RunProgress, changed: () => void, stop: () => void): Progress {
  const change = (edit: () => void): void => {
    edit();
    changed();
  };
  return {
    phase: (what) => change(() => standing.phase(what)),
    drainStarted: (planned) => change(() => standing.planned(planned)),
    drainBegan: (drain) => change(() => standing.began(drain)),
    page: (drain, rows) => change(() => standing.page(drain, rows)),
    throttled: (target) => change(() => standing.throttled(target)),
    drained: (drain, ok) => change(() => standing.ended(drain, ok)),
    publishStarted: (parts) =>
      change(() => {
        standing.parts += parts;
      }),
    publishing: (key) => {
      change(() => standing.publishing.add(key));
      return () => change(() => standing.publishing.delete(key));
    },
    published: () =>
      change(() => {
        standing.partsDone += 1;
      }),
    checked: (done, of, findings) => change(() => standing.checked(done, of, findings)),
    stop,
  };
}

function logLines({ log, every = 30_000 }: ProgressOptions, standing: RunProgress): Progress {
  let begun = false;
  const timer = setInterval(() => {
    if (!begun) return;
    if (standing.checks !== null) {
      const { done, of, findings } = standing.checks;
      const left = standing.checksLeftMs();
      log.info(
        {
          event: 'progress',
          objects_done: done,
          objects: of,
          findings,
          seconds_left: left === null ? null : Math.round(left / 1000),
        },
        'progress',
      );
      return;
    }
    log.info(
      {
        event: 'progress',
        targets_done: standing.targetsDone,
        targets_planned: standing.targetsPlanned,
        targets_failed: standing.targetsFailed,
        drains_done: standing.drainsDone,
        drains_planned: standing.drainsPlanned,
        rows: standing.rows,
        pages: standing.pages,
        pages_per_second: standing.pagesPerSecond,
        parts_done: standing.partsDone,
        parts: standing.parts,
        waiting_for: standing.waitingFor(),
      },
      'progress',
    );
  }, every);
  timer.unref();
  return counting(
    standing,
    () => {
      begun = true;
    },
    () => clearInterval(timer),
  );
}
