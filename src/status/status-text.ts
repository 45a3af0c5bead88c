/** Prints the result of `status`: the verdict, what needs somebody, what is lost, and what is well in one line. */
import { accountLabel } from '../telemetry/account-label.ts';
import { count, grouped, indented, listSome, paragraphs } from '../telemetry/paragraphs.ts';
import { printable } from '../telemetry/printable.ts';
import { type Paint, painter } from '../telemetry/status-colors.ts';
import type { Cause, LostInterval, StatusReport } from './status-report.ts';
import {
  differenceOf,
  endsUnknownLines,
  minute,
  placesLabel,
  regionsOf,
  sameLosses,
  sinceRun,
  spanOf,
  uncountedLines,
  unreadRemedy,
  verdictLines,
} from './wording.ts';

/** `--output json` has all. */
const shownCauses = 10;
const shownAccounts = 4;
const shownLosses = 10;
const shownUnread = 10;
const shownDifferences = 5;

/** @param columns the width to which text is wrapped; @param color whether states are coloured */
export function renderStatus(report: StatusReport, columns = 100, color = false): string {
  const paint = painter(color);
  const [say, ...why] = verdictLines(report);
  const lastRun =
    report.last_run === null
      ? `No run had ended by ${minute(report.now)}.`
      : `The last run began at ${minute(report.last_run.as_of)}, ${sinceRun(report.last_run.as_of, report.now)} before.`;
  const blocks = [
    paragraphs(columns, [
      `Status of the lake ${printable(report.lake)} at ${minute(report.now)} UTC`,
      lastRun,
      ...report.unfinished_runs.map(
        ({ run_id: id, as_of: asOf, may_be_running: running }) =>
          `Run ${id}, begun at ${minute(asOf)}, ${running ? 'may still be running' : 'died before it ended'}.`,
      ),
    ]),
    paragraphs(columns, [paint(verdictStatus[report.verdict], say ?? ''), ...why]),
    renderUnread(report, columns),
    paragraphs(columns, uncountedLines(report)),
    renderCauses(report, columns, paint),
    renderLosses(report, columns),
    renderDifferences(report, columns),
    paragraphs(columns, endsUnknownLines(report)),
    paragraphs(columns, wellLines(report)),
    paragraphs(columns, [`Exit code ${report.exit_code}: ${exitMeaning(report)}.`]),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

/** What the code says of this report: for other jobs, the same codes speak of targets. */
function exitMeaning({ exit_code: code, verdict, warn_within_hours: warn }: StatusReport): string {
  if (code === 66) return 'something was lost that nobody has acknowledged, or since --lost-since';
  if (code === 74) return 'part of the lake could not be read';
  if (verdict === 'nothing_read') return 'no run had read anything by then';
  const within = `within ${spanOf(warn)} (--warn-within)`;
  return code === 75
    ? `AWS deletes unread records ${within}`
    : `nothing was lost that nobody knows of, and nothing will be ${within}`;
}

/** Statuses that have the verdict's colour. */
const verdictStatus = {
  nothing_read: 'SKIPPED',
  lost: 'FAILED',
  incomplete: 'FAILED',
  at_risk: 'FAILED',
  gaps: 'SKIPPED',
  proven: 'OK',
} as const;

function renderUnread({ unread_objects: unread }: StatusReport, columns: number): string {
  if (unread.length === 0) return '';
  const shown = unread.slice(0, shownUnread);
  return [
    paragraphs(columns, ['Not read:']),
    ...shown.flatMap(({ key, why }) => indented(`${key}: ${why}`, 2, columns)),
    ...(shown.length < unread.length
      ? [`  and ${grouped(unread.length - shown.length)} more (--output json has all)`]
      : []),
    ...indented(`→ ${unreadRemedy}`, 4, columns),
  ].join('\n');
}

function renderCauses({ causes, drains }: StatusReport, columns: number, paint: Paint): string {
  if (causes.length === 0) return '';
  const shown = causes.slice(0, shownCauses);
  const everywhere = regionsOf(drains);
  const title =
    shown.length === causes.length
      ? 'Not proven, but AWS still keeps it, the most urgent first:'
      : `Not proven, but AWS still keeps it: ${grouped(causes.length)} causes; these are the ${shown.length} most urgent (--output json has all):`;
  return [
    paragraphs(columns, [title]),
    ...shown.map((cause) => renderCause(cause, everywhere, columns, paint)),
  ].join('\n');
}

function renderCause(cause: Cause, everywhere: number, columns: number, paint: Paint): string {
  const names = cause.accounts.map(accountLabel);
  const who =
    names.length === 1
      ? `account ${names[0]}`
      : `${grouped(names.length)} accounts: ${listSome(names, shownAccounts)}`;
  const [head = '', ...more] = indented(`${cause.cause} in ${who}`, 2, columns);
  const tone = cause.needs_person ? 'FAILED' : 'SKIPPED';
  return [
    head.replace(cause.cause, paint(tone, cause.cause)),
    ...more,
    ...indented(
      `in ${placesLabel(cause.regions, everywhere)} (${cause.tables.join(', ')}), since ${minute(cause.since)}`,
      6,
      columns,
    ),
    ...(cause.error === null ? [] : indented(cause.error, 6, columns)),
    ...indented(lossClock(cause), 6, columns),
    ...indented(`→ ${cause.remedy}`, 4, columns),
  ].join('\n');
}

function lossClock({ first_loss_at: at, hours_to_loss: left }: Cause): string {
  return left <= 0
    ? `AWS has been deleting unread records since ${minute(at)}, or begins now.`
    : `First loss at ${minute(at)}, in ${spanOf(left)}.`;
}

function renderLosses({ lost, totals, drains }: StatusReport, columns: number): string {
  const everywhere = regionsOf(drains);
  if (lost.length === 0) return '';
  const groups = [...sameLosses(lost)].sort(newFirst);
  const shown = groups.slice(0, shownLosses);
  const known = totals.new_losses === 0 ? 'all known' : `${grouped(totals.new_losses)} of them new`;
  return [
    paragraphs(columns, [
      `Lost for good: AWS deleted ${count(lost.length, 'interval')} before a run read ${lost.length === 1 ? 'it' : 'them'}, ${known}:`,
    ]),
    ...shown.flatMap((group) => indented(lossLine(group, everywhere), 2, columns)),
    ...(shown.length < groups.length
      ? [`  and ${grouped(groups.length - shown.length)} more (--output json has all)`]
      : []),
  ].join('\n');
}

function newFirst(a: readonly LostInterval[], b: readonly LostInterval[]): number {
  return Number(b[0]?.is_new === true) - Number(a[0]?.is_new === true);
}

function lossLine(group: readonly LostInterval[], everywhere: number): string {
  const [first] = group;
  if (first === undefined) return '';
  const accounts = [...new Map(group.map((one) => [one.account_id, accountLabel(one)])).values()];
  const regions = [...new Set(group.map(({ region }) => region))];
  return `${first.is_new ? 'new: ' : ''}${first.table} from ${minute(first.from)} to ${minute(first.to)} (${spanOf(first.hours)}) of ${listSome(accounts, shownAccounts)} in ${placesLabel(regions, everywhere)}`;
}

function renderDifferences({ record_against_aws: record }: StatusReport, columns: number): string {
  const { differences } = record;
  if (differences.length === 0) return '';
  const shown = differences.slice(0, shownDifferences);
  return [
    paragraphs(columns, [
      `AWS counts ${differenceOf(record)}, in ${grouped(differences.length)} of ${count(record.compared, 'comparison')} (a day of one account and region):`,
    ]),
    ...shown.flatMap((one) =>
      indented(
        `${one.day} ${accountLabel(one)} in ${one.region}: AWS counts ${grouped(one.aws_count)}, the record has ${grouped(one.lake_count)}: ${differenceOf(one)}`,
        2,
        columns,
      ),
    ),
    ...(shown.length < differences.length
      ? [`  and ${grouped(differences.length - shown.length)} more (--output json has all)`]
      : []),
    ...indented(
      '→ docs/operations.md says what to do; query record-against-aws shows every day.',
      4,
      columns,
    ),
  ].join('\n');
}

function wellLines({
  totals,
  last_acknowledged: acknowledged,
  record_against_aws: record,
  checkpoints,
}: StatusReport): string[] {
  const { drains, proven } = totals;
  return [
    `${grouped(proven)} of ${count(drains, 'drain')} (one table of one account and region) ${proven === 1 ? 'has' : 'have'} no gap: ${count(totals.accounts, 'account')}, ${count(totals.targets, 'target')}.`,
    ...(totals.region_disabled > 0
      ? [`${count(totals.region_disabled, 'drain')} in regions that AWS calls disabled.`]
      : []),
    ...(totals.planned_no_more > 0
      ? [`${count(totals.planned_no_more, 'drain')} that runs no longer plan; nothing is missing there.`]
      : []),
    ...(record.compared > 0 && record.differences.length === 0
      ? [
          record.compared === 1
            ? 'AWS’s own count agrees with the lake in the only comparison so far (one account, region and day).'
            : `AWS’s own counts agree with the lake in all ${grouped(record.compared)} comparisons (one for each account, region and day).`,
        ]
      : []),
    ...(checkpoints === null || checkpoints.uncounted_runs.length > 0
      ? []
      : [
          `Checkpoint ${checkpoints.newest.number}, ${checkpoints.newest.is_signed ? 'signed' : 'not signed'}, counts every run.`,
        ]),
    ...(totals.open_jobs > 0 ? [`${count(totals.open_jobs, 'copy job')} not ended yet.`] : []),
    ...(acknowledged === null
      ? []
      : [`Losses were last acknowledged at ${minute(acknowledged.at)} by ${printable(acknowledged.by)}.`]),
  ];
}
