import { clearScreenDown } from 'node:readline';
import { MultiBar, type SingleBar } from 'cli-progress';
import cliTruncate from 'cli-truncate';
import type { Telemetry } from '../config/settings.ts';
import { span } from './human-units.ts';
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
export function createProgress(options: ProgressOptions): Progress {
  const { mode, screen, now } = options;
  const standing = new RunProgress(now);
  if (mode === 'off')
    return counting(
      standing,
      () => {},
      () => {},
    );
  return mode === 'on' || screen.stream.isTTY ? bar(options, standing) : logLines(options, standing);
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

/** One line on the terminal. */
interface Line {
  readonly text: (secondsLeft: number, width: number) => string;
}

/** Two lines: what the run is waiting for and, once there is something to drain, the bar. */
function bar({ screen }: ProgressOptions, standing: RunProgress): Progress {
  const { stream } = screen;
  const terminal = stream.isTTY === true;
  const bars = new MultiBar({
    stream,
    format: (_, { eta, maxWidth }, line: Line) => line.text(Number(eta), maxWidth),
    fps: 4,
    etaBuffer: 50,
    hideCursor: true,
    linewrap: true,
    forceRedraw: true,
    noTTYOutput: true,
    clearOnComplete: terminal,
  });
  // The package clears only the first of its lines before it writes log lines over all of them.
  let logged = false;
  bars.on('redraw-pre', () => {
    if (logged) clearScreenDown(stream);
    logged = false;
  });
  const waiting: Line = {
    text: (_, width) => cliTruncate(standing.waitingFor(), Math.max(1, width - 1)),
  };
  const done: Line = { text: (secondsLeft, width) => barLine(standing, secondsLeft, width) };
  let drawn = false;
  let drains: SingleBar | null = null;
  const draw = (): void => {
    if (!drawn) {
      drawn = true;
      bars.create(1, 0, waiting);
      if (terminal) {
        screen.drawThrough((lines) => {
          logged = true;
          bars.log(lines);
        });
      }
    }
    if (standing.drainsPlanned === 0 && standing.parts === 0) return;
    drains ??= bars.create(standing.drainsPlanned, 0, done);
    drains.setTotal(standing.drainsPlanned);
    if (standing.reading) drains.update(standing.drainsDone);
  };
  return counting(standing, draw, () => {
    if (!drawn) return;
    drawn = false;
    drains = null;
    // Writes the lines that wait for the next redraw.
    bars.update();
    screen.drawThrough(null);
    bars.stop();
  });
}

/** While drains remain, the bar counts drains; after that, parts. */
function barLine(standing: RunProgress, secondsLeft: number, width: number): string {
  const { drainsDone, drainsPlanned, targetsDone, targetsPlanned, targetsFailed, reading } = standing;
  const { rows, parts, partsDone } = standing;
  const part = `${partsDone}/${parts} parts`;
  const words = [
    ...(reading || parts === 0 ? [] : [part]),
    `${targetsDone}/${targetsPlanned} targets`,
    ...(targetsFailed > 0 ? [`${targetsFailed} failed`] : []),
    `${rows.toLocaleString('en-US')} rows`,
    `${standing.pagesPerSecond} pages/s`,
    ...(reading && parts > 0 ? [part] : []),
    ...(reading && Number.isFinite(secondsLeft) ? [`${span(secondsLeft * 1000)} left`] : []),
  ].join(' · ');
  const room = Math.min(30, width - words.length - 4);
  if (room < 5) return words;
  const share = reading ? drainsDone / drainsPlanned : parts > 0 ? partsDone / parts : 1;
  const full = Math.round(Math.min(1, share) * room);
  return `[${'='.repeat(full)}${'-'.repeat(room - full)}] ${words}`;
}
