/** What AWS deleted before a run read it, and when it will delete what is still unread, as people read it. */
import { accountLabel } from './account-label.ts';
import { count, grouped, indented, listSome, paragraphs } from './paragraphs.ts';
import type { LostInterval, TargetFailure } from './run-summary.ts';

/** How many intervals are printed; `--output json` has all. */
const shownIntervals = 5;
const shownPlaces = 3;

/** From here on, a loss is near enough to be told of as urgent. */
const urgentHours = 7 * 24;

/** The same interval, lost in many accounts and regions, is one line. '' where nothing is lost. */
export function renderLost(lost: readonly LostInterval[], columns: number): string {
  if (lost.length === 0) return '';
  const groups = [...Map.groupBy(lost, (one) => `${one.table} ${one.lost_from} ${one.lost_to}`).values()];
  const shown = groups.slice(0, shownIntervals);
  return [
    paragraphs(columns, [
      `Lost for good: AWS deleted ${count(lost.length, 'interval')} before a run read ${lost.length === 1 ? 'it' : 'them'}. query lost-days lists all losses, of earlier runs too.`,
    ]),
    ...shown.flatMap((group) => indented(lostLine(group), 2, columns)),
    ...(shown.length < groups.length
      ? [`  and ${grouped(groups.length - shown.length)} more (--output json has all)`]
      : []),
  ].join('\n');
}

function lostLine(group: readonly LostInterval[]): string {
  const [first] = group;
  if (first === undefined) return '';
  const { table, lost_from: from, lost_to: to } = first;
  const places = group.map((one) => `${accountLabel(one)} in ${one.region}`);
  return `${table} from ${from} to ${to} (${daysBetween(from, to)}): ${listSome(places, shownPlaces)}`;
}

/** For a failure: since when it is unread, and when AWS deletes that; '' if no run ever read it. */
export function lossLine(failures: readonly TargetFailure[], asOf: string): string {
  const first = firstLoss(failures);
  if (first === null) return '';
  const { through, loss } = first;
  const unread = `Unread for ${daysBetween(through, asOf)}, since ${through}.`;
  if (loss <= asOf) {
    return `URGENT: AWS has been deleting unread records since ${loss}, and each hour deletes more. ${unread}`;
  }
  const deletes = `AWS begins to delete unread records on ${loss} (in ${daysBetween(asOf, loss)}).`;
  return hoursBetween(asOf, loss) <= urgentHours ? `URGENT: ${deletes} ${unread}` : `${unread} ${deletes}`;
}

/** For the end of a report: when the first of all failures loses data; '' if none does. */
export function firstLossLine(failures: readonly TargetFailure[], asOf: string): string {
  const first = firstLoss(failures);
  if (first === null) return '';
  const { loss, failure } = first;
  const where = `${failure.table} of ${accountLabel(failure)} in ${failure.region}`;
  return loss <= asOf
    ? `AWS is deleting unread records now: ${where} since ${loss}.`
    : `The first loss is on ${loss} (in ${daysBetween(asOf, loss)}): ${where}.`;
}

function firstLoss(failures: readonly TargetFailure[]) {
  const known = failures.flatMap((failure) => {
    const { read_through: through, first_loss_at: loss, error } = failure;
    // Earlier runs read further than this one was asked to.
    const isRead = error.startsWith('EmptyWindow');
    return through === null || loss === null || isRead ? [] : [{ through, loss, failure }];
  });
  return known.sort((a, b) => (a.loss < b.loss ? -1 : 1))[0] ?? null;
}

function daysBetween(from: string, to: string): string {
  const hours = hoursBetween(from, to);
  return hours < 48 ? `${Math.round(hours)} h` : `${Math.floor(hours / 24)} days`;
}

function hoursBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 3_600_000;
}
