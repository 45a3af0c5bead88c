/** The progress of a run as a bar on a terminal. */
import { clearScreenDown } from 'node:readline';
import { MultiBar, type SingleBar } from 'cli-progress';
import cliTruncate from 'cli-truncate';
import { span } from './human-units.ts';
import type { RunProgress } from './run-progress.ts';
import type { Screen } from './screen.ts';

export interface ProgressBar {
  /** Something has changed: the next time the bar is drawn, it shows it. */
  changed(): void;
  /** Removes the bar. */
  stop(): void;
}

/** One line on the terminal. */
interface Line {
  readonly text: (secondsLeft: number, width: number) => string;
}

/** Two lines: what the run is waiting for and, once there is something to drain, the bar. */
export function progressBar(screen: Screen, standing: RunProgress): ProgressBar {
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
  return {
    changed: draw,
    stop: () => {
      if (!drawn) return;
      drawn = false;
      drains = null;
      // Writes the lines that wait for the next redraw.
      bars.update();
      screen.drawThrough(null);
      bars.stop();
    },
  };
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
