/** Prints failures grouped by cause, each with advice, and a line that counts the targets that need a person. */

import { targetName } from '../targets/target.ts';
import { accountLabel } from './account-label.ts';
import { lossLine } from './data-loss-text.ts';
import { count, grouped, indented, listSome, paragraphs } from './paragraphs.ts';
import type { TargetFailure } from './run-summary.ts';
import type { Paint } from './status-colors.ts';

/** The number of causes printed; `--output json` has every failure. */
const shownCauses = 10;
/** Per cause. */
const shownAccounts = 3;
const shownPlaces = 4;

/** Failures with one cause are printed once: a missing role, for example, fails in every region of many accounts. */
export function renderFailures(
  failures: readonly TargetFailure[],
  title: string,
  /** Of the run, ISO 8601. */
  asOf: string,
  columns: number,
  paint: Paint,
): string {
  const groups = [...Map.groupBy(failures, causeOf).values()];
  if (groups.length === 0) return '';
  const shown = groups.slice(0, shownCauses);
  const said =
    shown.length === groups.length
      ? `${title}:`
      : `${title} with ${grouped(groups.length)} causes; these are the ${shown.length} most severe (--output json has all):`;
  return [
    paragraphs(columns, [said]),
    ...shown.map((group) => renderCause(group, asOf, columns, paint)),
  ].join('\n');
}

/** The status and the error, without what differs between targets: account ids, the region, request ids. */
export function causeOf({
  status,
  error,
  region,
}: {
  readonly status: string;
  readonly error: string;
  readonly region: string;
}): string {
  const same = error
    .replaceAll(region, '<region>')
    .replace(/(?<!\d)\d{12}(?!\d)/g, '<account>')
    .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '<id>');
  return `${status} ${same}`;
}

function renderCause(group: readonly TargetFailure[], asOf: string, columns: number, paint: Paint): string {
  const [first] = group;
  if (!first) return '';
  const accounts = [...new Map(group.map((one) => [one.account_id, accountLabel(one)])).values()];
  const places = [...Map.groupBy(group, ({ region }) => region)].map(([region, ones]) => {
    const tables = [...new Set(ones.map(({ table }) => table))];
    return `${region} (${tables.join(', ')})`;
  });
  const who =
    accounts.length === 1
      ? `account ${accounts[0]}`
      : `${grouped(accounts.length)} accounts: ${listSome(accounts, shownAccounts)}`;
  const example = group.some(({ error }) => error !== first.error) ? 'for example: ' : '';
  const loss = lossLine(group, asOf);
  const [head = '', ...more] = indented(`${first.status} in ${who}`, 2, columns);
  return [
    head.replace(first.status, paint(first.status)),
    ...more,
    ...indented(`in ${listSome(places, shownPlaces)}`, 6, columns),
    ...(first.error === '' ? [] : indented(example + first.error, 6, columns)),
    ...(loss === '' ? [] : indented(loss, 6, columns)),
    ...(first.advice === '' ? [] : indented(`→ ${first.advice}`, 4, columns)),
  ].join('\n');
}

/**
 * The last line of a report: how many targets a retry cannot fix, whatever the exit code is; '' if there are none.
 * Counted by status if the line has room.
 */
export function needsPersonLine(failures: readonly TargetFailure[], columns: number, paint: Paint): string {
  const theirs = failures.filter(({ needs_person }) => needs_person);
  if (theirs.length === 0) return '';
  const total = countTargets(theirs);
  const need = `${count(total, 'target')} ${total === 1 ? 'needs' : 'need'} a person`;
  const byStatus = [...Map.groupBy(theirs, ({ status }) => status)].map(
    ([status, ones]) => [status, grouped(countTargets(ones))] as const,
  );
  const plain = byStatus.map(([status, n]) => `${n} ${status}`).join(', ');
  const look = `${need}: see → above.`;
  if (need.length + plain.length + 3 > columns) return look.length > columns ? `${need}.` : look;
  return `${need}: ${byStatus.map(([status, n]) => `${n} ${paint(status)}`).join(', ')}.`;
}

/** Counts a target that fails for both tables once. */
export function countTargets(
  ones: readonly { readonly account_id: string; readonly region: string }[],
): number {
  return new Set(ones.map(({ account_id, region }) => targetName({ accountId: account_id, region }))).size;
}
