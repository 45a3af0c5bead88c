/**
 * The history of a job's states, of all its observations: the reference, in plain TypeScript. merged-history-sql.ts has the
 * same rules in DuckDB's SQL, and a property test compares the two.
 *
 * The observations are put in order of time. Those of one state in a row are one state of the history, and the last of them
 * tells when the state was last seen. The same state at the same time counts once, so it changes nothing if observations
 * come again, even two states of one instant (unless a job turns back and forth within it, which cannot be kept whole). After a terminal state, other states do not count (forward only). The result does not
 * depend on which run published first.
 */
import { isTerminal } from '../../tables/copy-jobs.ts';
import {
  historyText,
  type SeenState,
  seenStates,
  timeText,
  unknownBefore,
} from '../../tables/state-history.ts';
import type { Row } from '../../tables/table.ts';

interface Sighting extends SeenState {
  readonly published: boolean;
  readonly place: number;
  readonly terminal: boolean;
}

/** Null if no observation has a time. @param latest published rows cannot have been observed later; milliseconds since the epoch */
export function mergedHistory(
  published: readonly Row[],
  staged: readonly Row[],
  latest: number,
): string | null {
  const bound = latest < 8.64e15 ? timeText(latest) : null;
  const sightings = [
    ...published.flatMap((row) =>
      sightingsIn(row, true).filter(({ firstSeen }) => bound === null || firstSeen <= bound),
    ),
    ...staged.flatMap((row) => sightingsIn(row, false)),
  ].sort(inOrder);
  const once = new Set<string>();
  // A published state that began when the one before was last seen: that sighting is in the history already. The first one of a
  // history has none before, which would look like a job without a state.
  const known = new Set(
    sightings
      .filter(
        ({ published: isOld, place, beforeLastSeen, firstSeen }) =>
          isOld && place > 0 && beforeLastSeen === firstSeen,
      )
      .map(({ before, firstSeen }) => `${before}|${firstSeen}`),
  );
  const end = sightings.find(({ terminal }) => terminal)?.firstSeen;
  const states: { first: Sighting; lastSeen: string }[] = [];
  for (const sighting of sightings) {
    const sight = `${sighting.state}|${sighting.firstSeen}`;
    if (once.has(sight) || (!sighting.published && known.has(sight))) continue;
    once.add(sight);
    if (!sighting.terminal && end !== undefined && sighting.firstSeen >= end) continue;
    const current = states.at(-1);
    if (current?.first.state === sighting.state) current.lastSeen = sighting.firstSeen;
    else states.push({ first: sighting, lastSeen: sighting.firstSeen });
  }
  if (states.length === 0) return null;
  return historyText(
    states.map(({ first }, at) => {
      const before = states[at - 1];
      if (before === undefined) {
        return { ...first, before: first.before === unknownBefore ? unknownBefore : '' };
      }
      const { beforeLastSeen: known, firstSeen } = first;
      const beforeLastSeen = known > before.lastSeen && known <= firstSeen ? known : before.lastSeen;
      return { ...first, before: before.first.state, beforeLastSeen };
    }),
  );
}

function sightingsIn(row: Row, published: boolean): Sighting[] {
  return seenStates(row).map((seen, place) => ({
    ...seen,
    published,
    place,
    // The terminal states have no character that is encoded.
    terminal: isTerminal(seen.state) === true,
  }));
}

function inOrder(a: Sighting, b: Sighting): number {
  return (
    compare(a.firstSeen, b.firstSeen) ||
    Number(a.terminal) - Number(b.terminal) ||
    Number(b.published) - Number(a.published) ||
    a.place - b.place ||
    compare(a.state, b.state) ||
    compare(a.runId, b.runId) ||
    compare(a.category, b.category) ||
    compare(a.before, b.before) ||
    compare(a.beforeLastSeen, b.beforeLastSeen)
  );
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
