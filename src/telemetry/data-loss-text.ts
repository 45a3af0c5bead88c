/** What AWS deleted before a run read it, and when it will delete what is still unread, as people read it. */

import { count, indented, paragraphs } from './paragraphs.ts';
import type { LostInterval, TargetFailure } from './run-summary.ts';

/** How many intervals are printed; `--output json` has all. */
const shownIntervals = 5;

/** '' where nothing is lost. */
export function renderLost(lost: readonly LostInterval[], columns: number): string {
  if (lost.length === 0) return '';
  const shown = lost.slice(0, shownIntervals);
  return [
    paragraphs(columns, [
      `Lost for good: AWS deleted ${count(lost.length, 'interval')} before a run read ${lost.length === 1 ? 'it' : 'them'}. query lost-days lists all losses, of earlier runs too.`,
    ]),
    ...shown.flatMap(({ account_id: account, region, table, lost_from: from, lost_to: to }) =>
      indented(
        `${table} of ${account} in ${region}: from ${from} to ${to} (${daysBetween(from, to)})`,
        2,
        columns,
      ),
    ),
    ...(shown.length < lost.length
      ? [`  and ${lost.length - shown.length} more (--output json has all)`]
      : []),
  ].join('\n');
}

/** For a failure: since when it is unread, and when AWS deletes that; '' if no run ever read it. */
export function lossLine(failures: readonly TargetFailure[], asOf: string): string {
  // Earlier runs read further than this one was asked to.
  if (failures.every(({ error }) => error.startsWith('EmptyWindow'))) return '';
  const known = failures.flatMap(({ read_through: through, first_loss_at: loss }) =>
    through === null || loss === null ? [] : [{ through, loss }],
  );
  const [first] = known.sort((a, b) => (a.loss < b.loss ? -1 : 1));
  if (first === undefined) return '';
  const { through, loss } = first;
  return loss <= asOf
    ? `Unread since ${through}. AWS has been deleting unread records since ${loss}.`
    : `Unread since ${through}. AWS begins to delete unread records on ${loss} (in ${daysBetween(asOf, loss)}).`;
}

function daysBetween(from: string, to: string): string {
  const hours = (Date.parse(to) - Date.parse(from)) / 3_600_000;
  return hours < 48 ? `${Math.round(hours)} h` : `${Math.floor(hours / 24)} days`;
}
