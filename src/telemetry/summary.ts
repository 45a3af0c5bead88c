/** The result of `export` and `plan` as people read it. Plain text; no colour, so that it can be kept. */
import Table from 'cli-table3';
import { exitCodes } from '../exit-codes.ts';
import { describeForeign } from '../lake/foreign-objects.ts';
import type {
  CoverageStatus,
  PlannedTarget,
  PlanSummary,
  RunSummary,
  TargetFailure,
} from '../run-summary.ts';
import { adviceFor } from './advice.ts';
import { printable } from './printable.ts';
import { span } from './span.ts';

/** How many failures are printed; `--output json` has all. */
const shownFailures = 10;
const shownTargets = 50;
/** Of one cause. */
const shownAccounts = 3;
const shownPlaces = 4;

/** @param columns the terminal's width; text is wrapped or cut to it */
export function renderRunSummary(summary: RunSummary, columns = 100): string {
  const { tables, coverage, failures, phases_ms: phases } = summary;
  const totals = Object.entries(tables);
  const statuses = Object.entries(coverage).filter(([, count]) => count > 0);
  const blocks = [
    paragraphs(columns, [
      `Run ${summary.run_id} into ${printable(summary.lake)}`,
      `${count(summary.targets, 'target')} as of ${summary.as_of}, in ${span(summary.duration_ms)} (${[
        `discover ${span(phases.discover)}`,
        `drain ${span(phases.drain)}`,
        `publish ${span(phases.publish)}`,
        `ledger ${span(phases.ledger)}`,
      ].join(', ')})`,
    ]),
    totals.length === 0
      ? 'Nothing was read.'
      : grid(
          ['table', 'new', 'updated', 'unchanged', 'removed', 'rejected', 'parts', 'bytes'],
          totals.map(([table, t]) => [
            table,
            ...[t.added, t.updated, t.unchanged, t.removed, t.rejected, t.parts_written].map(grouped),
            bytes(t.bytes_written),
          ]),
          columns,
          'columns',
        ),
    statuses.length === 0
      ? ''
      : grid(
          ['status', 'targets × tables'],
          statuses.map(([status, n]) => [status, grouped(n)]),
          columns,
        ),
    paragraphs(
      columns,
      Object.entries(summary.unknown_fields).map(
        ([table, fields]) =>
          `AWS sends fields of ${table} that this version has no column for; they are not in the lake: ${printable(fields.join(', '))}`,
      ),
    ),
    renderForeign(summary.foreign_objects, columns),
    renderFailures(failures, columns),
    summary.ledger_error === null ? '' : paragraphs(columns, [printable(summary.ledger_error)]),
    paragraphs(columns, [`Exit code ${summary.exit_code}: ${exitCodes[summary.exit_code]}.`]),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function renderForeign(keys: readonly string[], columns: number): string {
  const told = describeForeign(keys);
  return told === null ? '' : paragraphs(columns, [`${printable(told)}.`]);
}

/** The error's name, of `name: message`. */
function nameIn(error: string | null): string | null {
  return error?.split(':', 1)[0] ?? null;
}

/** Failures of one cause are one, however many accounts it has: a missing role fails in all of them, everywhere. */
function renderFailures(failures: readonly TargetFailure[], columns: number): string {
  const groups = [...Map.groupBy(failures, causeOf).values()];
  if (groups.length === 0) return '';
  const shown = groups.slice(0, shownFailures);
  const title =
    shown.length === groups.length
      ? `${count(failures.length, 'failure')}:`
      : `${count(failures.length, 'failure')} of ${grouped(groups.length)} causes; the ${shown.length} worst (all: --output json):`;
  return [paragraphs(columns, [title]), ...shown.map((group) => renderCause(group, columns))].join('\n');
}

/** The status, and the error without what differs from target to target: accounts, its region, request ids. */
function causeOf({ status, error, region }: TargetFailure): string {
  const same = error
    .replaceAll(region, '<region>')
    .replace(/(?<!\d)\d{12}(?!\d)/g, '<account>')
    .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '<id>');
  return `${status} ${same}`;
}

function renderCause(group: readonly TargetFailure[], columns: number): string {
  const [first] = group;
  if (!first) return '';
  const accounts = [...new Set(group.map(({ account_id: account }) => account))];
  const places = [...Map.groupBy(group, ({ region }) => region)].map(([region, ones]) => {
    const tables = [...new Set(ones.map(({ table }) => table))];
    return `${region} (${tables.join(', ')})`;
  });
  const who =
    accounts.length === 1
      ? `account ${accounts[0]}`
      : `${grouped(accounts.length)} accounts: ${someOf(accounts, shownAccounts)}`;
  const example = group.some(({ error }) => error !== first.error) ? 'for example: ' : '';
  return [
    ...indented(`${first.status} in ${who}`, 2, columns),
    ...indented(`in ${someOf(places, shownPlaces)}`, 6, columns),
    ...(first.error === '' ? [] : indented(example + first.error, 6, columns)),
    ...(first.advice === '' ? [] : indented(`→ ${first.advice}`, 4, columns)),
  ].join('\n');
}

/** `a, b, c and 5 more`; all of them where only one would be left out. */
function someOf(names: readonly string[], most: number): string {
  if (names.length <= most + 1) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${grouped(names.length - most)} more`;
}

function indented(text: string, indent: number, columns: number): readonly string[] {
  return wrapped(printable(text), columns - indent).map((line) => ' '.repeat(indent) + line);
}

/** What cannot be read comes first: it is what a person has to see. Then by account, region and table. */
function byNeedAndName(a: PlannedTarget, b: PlannedTarget): number {
  return (
    Number(a.status === 'OK') - Number(b.status === 'OK') ||
    compared(a.account_id, b.account_id) ||
    compared(a.region, b.region) ||
    compared(a.table, b.table)
  );
}

function compared(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** @param columns the terminal's width */
export function renderPlanSummary(summary: PlanSummary, columns = 100): string {
  const byStatus = new Map<CoverageStatus, number>();
  for (const { status } of summary.plan) byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  const lines = [...summary.plan].sort(byNeedAndName);
  const blocks = [
    paragraphs(columns, [
      `Plan for ${printable(summary.lake)} (${summary.lake_exists ? 'exists' : 'new'}), as of ${summary.as_of}. Nothing was written.`,
      `${count(summary.targets, 'target')}, ${grouped(summary.readable)} readable; about ${count(summary.expected_requests, 'request')} and ${minutes(summary.expected_minutes)}.`,
    ]),
    byStatus.size === 0
      ? ''
      : grid(
          ['status', 'targets × tables'],
          [...byStatus].map(([status, n]) => [status, grouped(n)]),
          columns,
        ),
    lines.length === 0
      ? ''
      : grid(
          ['account', 'region', 'table', 'status', 'from (UTC)', 'requests'],
          lines
            .slice(0, shownTargets)
            .map((one) => [
              printable(one.account_name === null ? one.account_id : `${one.account_id} ${one.account_name}`),
              printable(one.region),
              one.table,
              one.status,
              one.window_to === null ? '' : minuteOf(one.window_from),
              grouped(one.expected_requests),
            ]),
          columns,
        ),
    renderForeign(summary.foreign_objects, columns),
    lines.length > shownTargets
      ? `And ${grouped(lines.length - shownTargets)} more (all: --output json).`
      : '',
    renderFailures(
      lines.flatMap(({ account_id, region, table, status, error }) =>
        status === 'OK'
          ? []
          : [
              {
                account_id,
                region,
                table,
                status,
                error: error ?? '',
                advice: adviceFor(status, nameIn(error)),
              },
            ],
      ),
      columns,
    ),
    paragraphs(columns, [`Exit code ${summary.exit_code}: ${exitCodes[summary.exit_code]}.`]),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

/**
 * A table without colours, its numbers to the right. Where the terminal is too narrow for it, it stands on its
 * side, if `narrow` says that it has few rows; and where that is too wide as well, it is a list.
 */
function grid(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number,
  narrow: 'list' | 'columns' = 'list',
): string {
  const upright = drawn(head, rows);
  if (fits(upright, columns)) return upright;
  if (narrow === 'columns') {
    const turned = head.map((name, i) => [name, ...rows.map((row) => row[i] ?? '')]);
    const [names = [], ...facts] = turned;
    const sideways = drawn(names, facts);
    if (fits(sideways, columns)) return sideways;
  }
  return paragraphs(
    columns,
    rows.map(([first = '', ...rest]) => {
      const facts = rest.flatMap((cell, i) => (cell === '' ? [] : [`${head[i + 1]} ${cell}`]));
      return `${first}: ${facts.join(' · ')}`;
    }),
  );
}

function drawn(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, i) =>
      rows.every((row) => /^[\d,. ]+( [kMGT]?B)?$/.test(row[i] ?? '')) ? 'right' : 'left',
    ),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

function fits(text: string, columns: number): boolean {
  return text.split('\n').every((line) => line.length <= columns);
}

/** Each text from a line of its own on; the lines that it goes on in are indented. */
function paragraphs(columns: number, texts: readonly string[]): string {
  return texts.map((text) => wrapped(text, columns - 2).join('\n  ')).join('\n');
}

/** Lines of at most `width` characters, broken at spaces only: a longer word (a path, an ARN) stays whole. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function count(n: number, noun: string): string {
  return `${grouped(n)} ${noun}${n === 1 ? '' : 's'}`;
}

function grouped(n: number): string {
  return n.toLocaleString('en-US');
}

/** An instant to its minute, as people write it; null: from the beginning of AWS's memory. */
function minuteOf(iso: string | null): string {
  return iso === null ? 'beginning' : iso.slice(0, 16).replace('T', ' ');
}

function minutes(n: number): string {
  return n < 1 ? 'less than a minute' : count(Math.round(n), 'minute');
}

/** Decimal units, as S3's bill has them. */
function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
