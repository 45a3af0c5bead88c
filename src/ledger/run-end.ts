/**
 * When a run has ended at the latest, whether it wrote a manifest or not. All times are AWS's. Its as-of does not tell: a
 * shard has that of its night, and may begin hours later.
 */
import { longestTimerMs } from '../shared/time.ts';
import { longestNightMs } from './nights.ts';

/** A run ends at most a minute after its deadline. Clocks agree to within five minutes, and a last write may be on its way. */
const closingMs = 10 * 60_000;

/** The first programs had nothing that ended them a minute after the deadline. */
const olderClosingMs = 60 * 60_000;

/** From its as-of on. No `--deadline` is longer than a timer. */
export const longestRunMs = longestNightMs + longestTimerMs + olderClosingMs;

/** @param elapsedMs since the process began, which is when its deadline begins */
export function endsBy(now: number, elapsedMs: number, deadlineMs: number): number {
  return now - elapsedMs + deadlineMs + closingMs;
}

/** Of a begin record. Those of older programs have no `ends_by`. */
export function recordedEnd(begin: {
  readonly as_of: string;
  readonly ends_by?: unknown;
  readonly settings: Readonly<Record<string, unknown>>;
}): number {
  const asOf = Date.parse(begin.as_of);
  const said = typeof begin.ends_by === 'string' ? Date.parse(begin.ends_by) : Number.NaN;
  if (said > asOf) return said;
  const { deadlineMs, shard, night } = begin.settings;
  if (typeof deadlineMs !== 'number') return asOf + longestRunMs;
  const shares = shard != null && night != null;
  return asOf + (shares ? longestNightMs : 0) + deadlineMs + olderClosingMs;
}

/** @param begin the run's begin record; null: it is gone or unreadable */
export function latestEnd(asOf: number, begin: { readonly endsBy: number } | null): number {
  return begin?.endsBy ?? asOf + longestRunMs;
}
