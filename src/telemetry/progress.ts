import { MultiBar, type SingleBar } from 'cli-progress';
import type { Telemetry } from '../settings.ts';
import type { Log } from './log.ts';
import type { Screen } from './screen.ts';
import { span } from './span.ts';

/** What a run tells a person at a terminal while it works. */
export interface Progress {
  /** Draining begins: this many (table, target) pairs are planned. */
  drainStarted(planned: number): void;
  /** One page was read, with this many rows. */
  page(rows: number): void;
  /** One (table, target) pair has ended, well or not. */
  drained(ok: boolean): void;
  /** Publishing begins: this many parts. May happen several times in a run, while draining goes on. */
  publishStarted(parts: number): void;
  /** One part is done: written, or found unchanged. */
  published(): void;
  /** The run has ended; the terminal is as it was. */
  stop(): void;
}

/** Where a run stands. */
interface Standing {
  planned: number;
  done: number;
  failed: number;
  pages: number;
  rows: number;
  parts: number;
  partsDone: number;
}

export interface ProgressOptions {
  readonly mode: Telemetry['progress'];
  readonly screen: Screen;
  readonly log: Log;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  /** How often a machine is told, in milliseconds. */
  readonly every?: number;
}

/**
 * `auto`: a bar on a terminal, else a structured log line (`event: progress`) every 30 s; `on`: a bar in any
 * case, without a terminal as plain lines; `off`: nothing.
 */
export function createProgress(options: ProgressOptions): Progress {
  const { mode, screen } = options;
  if (mode === 'off')
    return counting(
      () => {},
      () => {},
    );
  return mode === 'on' || screen.stream.isTTY ? bar(options) : logLines(options);
}

function counting(changed: (standing: Readonly<Standing>) => void, stop: () => void): Progress {
  const standing: Standing = { planned: 0, done: 0, failed: 0, pages: 0, rows: 0, parts: 0, partsDone: 0 };
  const change = (edit: () => void): void => {
    edit();
    changed(standing);
  };
  return {
    drainStarted: (planned) =>
      change(() => {
        standing.planned += planned;
      }),
    page: (rows) =>
      change(() => {
        standing.pages += 1;
        standing.rows += rows;
      }),
    drained: (ok) =>
      change(() => {
        standing.done += 1;
        if (!ok) standing.failed += 1;
      }),
    publishStarted: (parts) =>
      change(() => {
        standing.parts += parts;
      }),
    published: () =>
      change(() => {
        standing.partsDone += 1;
      }),
    stop,
  };
}

function perSecond(count: number, ms: number): number {
  return ms > 0 ? Math.round((count * 10_000) / ms) / 10 : 0;
}

function logLines({ log, now, every = 30_000 }: ProgressOptions): Progress {
  const begun = now();
  let last: Readonly<Standing> | null = null;
  const timer = setInterval(() => {
    if (!last) return;
    log.info(
      {
        event: 'progress',
        targets_done: last.done,
        targets_planned: last.planned,
        targets_failed: last.failed,
        rows: last.rows,
        pages: last.pages,
        pages_per_second: perSecond(last.pages, now() - begun),
        parts_done: last.partsDone,
        parts: last.parts,
      },
      'progress',
    );
  }, every);
  timer.unref();
  return counting(
    (standing) => {
      last = standing;
    },
    () => clearInterval(timer),
  );
}

function bar({ screen, now }: ProgressOptions): Progress {
  const { stream } = screen;
  const terminal = stream.isTTY === true;
  const bars = new MultiBar({
    stream,
    format: (_, { eta, maxWidth }, shown: Shown) => barLine(shown, Number(eta), now(), maxWidth),
    fps: 4,
    etaBuffer: 50,
    hideCursor: true,
    linewrap: true,
    forceRedraw: true,
    noTTYOutput: true,
    clearOnComplete: terminal,
  });
  let drawn: { readonly bar: SingleBar; readonly shown: Shown } | null = null;
  const draw = (standing: Readonly<Standing>): void => {
    if (!drawn) {
      const shown: Shown = { standing, begun: now(), readUntil: null };
      drawn = { shown, bar: bars.create(standing.planned, 0, shown) };
      if (terminal) screen.drawThrough((lines) => bars.log(lines));
    }
    const { bar, shown } = drawn;
    const reading = standing.done < standing.planned;
    shown.readUntil = reading ? null : (shown.readUntil ?? now());
    bar.setTotal(standing.planned);
    if (reading) bar.update(standing.done);
  };
  return counting(draw, () => {
    if (!drawn) return;
    drawn = null;
    // Lines that wait for the next redraw are written now.
    bars.update();
    screen.drawThrough(null);
    bars.stop();
  });
}

interface Shown {
  readonly standing: Readonly<Standing>;
  readonly begun: number;
  /** When the last drain ended; null while there are more. */
  readUntil: number | null;
}

/** While there is something to read, the bar is about targets; afterwards about parts. */
function barLine(
  { standing, begun, readUntil }: Shown,
  secondsLeft: number,
  now: number,
  width: number,
): string {
  const { done, planned, failed, rows, pages, parts, partsDone } = standing;
  const reading = readUntil === null;
  const part = `${partsDone}/${parts} parts`;
  const words = [
    ...(reading || parts === 0 ? [] : [part]),
    `${done}/${planned} targets`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    `${rows.toLocaleString('en-US')} rows`,
    `${perSecond(pages, (readUntil ?? now) - begun)} pages/s`,
    ...(reading && parts > 0 ? [part] : []),
    ...(reading && Number.isFinite(secondsLeft) ? [`${span(secondsLeft * 1000)} left`] : []),
  ].join(' · ');
  const room = Math.min(30, width - words.length - 4);
  if (room < 5) return words;
  const share = reading ? done / planned : parts > 0 ? partsDone / parts : 1;
  const full = Math.round(Math.min(1, share) * room);
  return `[${'='.repeat(full)}${'-'.repeat(room - full)}] ${words}`;
}
