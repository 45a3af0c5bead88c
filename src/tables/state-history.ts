/**
 * The text in copy_jobs.state_history: every state in which a job was seen, oldest first. It is a part of the row, so it is
 * replaced together with it: no change is written twice, and none is lost when a run dies. The view copy_job_transitions
 * makes rows of it.
 *
 * A comma separates the states, `|` the six fields of each: the state, when it was first seen, the run that saw it, the message
 * category, the state before, and when that was last seen. Times are UTC: `2026-11-20 02:00:00.000`. Texts are
 * percent-encoded. Nothing: the field is not known. In the first state, `?` as the state before says that an older version
 * of this program has seen the job before, and did not keep what it saw.
 */
import type { Row, Value } from './table.ts';

/** One state in which a job was seen. Texts are encoded, so they sort by their UTF-8 bytes and contain no separator. */
export interface SeenState {
  readonly state: string;
  readonly firstSeen: string;
  readonly runId: string;
  readonly category: string;
  readonly before: string;
  /** In the first state: when the account and region were read before. */
  readonly beforeLastSeen: string;
}

export const unknownBefore = '?';

/** The history of a job that was seen once. @param readBefore when the target's open jobs were read before; null: unknown */
export function firstSight(row: Row, readBefore: number | null): string {
  return historyText([
    {
      ...seenIn(row),
      before: '',
      beforeLastSeen: readBefore === null ? '' : timeText(readBefore),
    },
  ]);
}

/** The states in which a row says that its job was seen. Rows of older versions say only the last one. */
export function seenStates(row: Row): readonly SeenState[] {
  const { state_history: history, observed_at: observed, first_observed_at: first } = row;
  if (typeof history === 'string') return parsed(history);
  if (typeof observed !== 'number') return [];
  return [{ ...seenIn(row), before: first === observed ? '' : unknownBefore, beforeLastSeen: '' }];
}

export function historyText(states: readonly SeenState[]): string {
  return states
    .map(({ state, firstSeen, runId, category, before, beforeLastSeen }) =>
      [state, firstSeen, runId, category, before, beforeLastSeen].join('|'),
    )
    .join(',');
}

export function timeText(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('T', ' ').slice(0, -1);
}

function seenIn(row: Row): Omit<SeenState, 'before' | 'beforeLastSeen'> {
  return {
    state: encoded(row.state),
    firstSeen: timeText(Number(row.observed_at)),
    runId: encoded(row.run_id),
    category: encoded(row.message_category),
  };
}

function parsed(history: string): readonly SeenState[] {
  return history
    .split(',')
    .map((text) => {
      const [state = '', firstSeen = '', runId = '', category = '', before = '', beforeLastSeen = ''] =
        text.split('|');
      return { state, firstSeen, runId, category, before, beforeLastSeen };
    })
    .filter(({ firstSeen }) => firstSeen !== '');
}

/** As DuckDB's url_encode: all but letters, digits and -._~ */
function encoded(value: Value | undefined): string {
  if (typeof value !== 'string') return '';
  return encodeURIComponent(value).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
