/** The result of `export` and `plan` as people read it. Plain text; no colour, so that it can be kept. */
import Table from 'cli-table3';
import { exitCodes } from '../exit-codes.ts';
import type { CoverageStatus, PlanSummary, RunSummary, TargetFailure } from '../run-summary.ts';
import { adviceFor } from './advice.ts';
import { printable } from './printable.ts';
import { span } from './span.ts';

/** How many failures are printed; `--output json` has all. */
const shownFailures = 10;
const shownTargets = 50;

/** @param columns the terminal's width; text is wrapped or cut to it */
export function renderRunSummary(summary: RunSummary, columns = 100): string {
  const { tables, coverage, failures, phases_ms: phases } = summary;
  const totals = Object.entries(tables);
  const statuses = Object.entries(coverage).filter(([, count]) => count > 0);
  const blocks = [
    [
      `Run ${summary.run_id} into ${printable(summary.lake)}`,
      `${count(summary.targets, 'target')} as of ${summary.as_of}, in ${span(summary.duration_ms)} (${[
        `discover ${span(phases.discover)}`,
        `drain ${span(phases.drain)}`,
        `publish ${span(phases.publish)}`,
        `ledger ${span(phases.ledger)}`,
      ].join(', ')})`,
    ].join('\n'),
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
        ),
    statuses.length === 0
      ? ''
      : grid(
          ['status', 'targets × tables'],
          statuses.map(([status, n]) => [status, grouped(n)]),
          columns,
        ),
    renderFailures(failures, columns),
    `Exit code ${summary.exit_code}: ${exitCodes[summary.exit_code]}.`,
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

/** Failures of one account for one reason are one: an account without its role fails in every region. */
function renderFailures(failures: readonly TargetFailure[], columns: number): string {
  const groups = Map.groupBy(failures, ({ account_id, status }) => `${account_id} ${status}`);
  if (groups.size === 0) return '';
  const shown = [...groups.values()].slice(0, shownFailures);
  const title =
    shown.length === groups.size
      ? `${count(failures.length, 'failure')}:`
      : `${count(failures.length, 'failure')} in ${count(groups.size, 'group')}; the ${shown.length} worst (all: --output json):`;
  const blocks = shown.map((group) => {
    const [first] = group;
    if (!first) return '';
    const { account_id, status, error, advice } = first;
    const places = [...Map.groupBy(group, ({ region }) => region)].map(
      ([region, ones]) => `${region} (${ones.map(({ table }) => table).join(', ')})`,
    );
    return [
      ...wrapped(printable(`${account_id}: ${status} in ${places.join(', ')}`), columns - 2).map(
        (line) => `  ${line}`,
      ),
      ...wrapped(printable(error), columns - 6).map((line) => `      ${line}`),
      ...wrapped(`→ ${printable(advice)}`, columns - 4).map((line) => `    ${line}`),
    ].join('\n');
  });
  return [title, ...blocks].join('\n');
}

export function renderPlanSummary(summary: PlanSummary, columns = 100): string {
  const byStatus = new Map<CoverageStatus, number>();
  for (const { status } of summary.plan) byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  // What cannot be read comes first: it is what a person has to see.
  const lines = [...summary.plan].sort((a, b) => Number(a.status === 'OK') - Number(b.status === 'OK'));
  const blocks = [
    [
      `Plan for ${printable(summary.lake)} (${summary.lake_exists ? 'exists' : 'new'}), as of ${summary.as_of}. Nothing was written.`,
      `${count(summary.targets, 'target')}, ${grouped(summary.readable)} readable; about ${count(summary.expected_requests, 'request')} and ${minutes(summary.expected_minutes)}.`,
    ].join('\n'),
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
    lines.length > shownTargets
      ? `and ${grouped(lines.length - shownTargets)} more (all: --output json)`
      : '',
    renderFailures(
      lines.flatMap(({ account_id, region, table, status, error }) =>
        status === 'OK'
          ? []
          : [{ account_id, region, table, status, error: error ?? '', advice: adviceFor(status) }],
      ),
      columns,
    ),
    `Exit code ${summary.exit_code}: ${exitCodes[summary.exit_code]}.`,
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

/** A table without colours, its numbers to the right; a list of lines where the terminal is too narrow for it. */
function grid(head: readonly string[], rows: readonly (readonly string[])[], columns: number): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, i) =>
      rows.every((row) => /^[\d,. ]+( [kMGT]?B)?$/.test(row[i] ?? '')) ? 'right' : 'left',
    ),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  const drawn = table.toString();
  if (drawn.split('\n').every((line) => line.length <= columns)) return drawn;
  return rows
    .map((row) =>
      wrapped(
        row
          .map((cell, i) => (i === 0 ? `${cell}:` : `${head[i]} ${cell}`))
          .filter((cell) => !cell.endsWith(' '))
          .join(' · '),
        columns,
      ).join('\n  '),
    )
    .join('\n');
}

/** Lines of at most `width` characters (20 at least), broken at spaces where there are any. */
function wrapped(text: string, width: number): readonly string[] {
  const room = Math.max(20, width);
  const lines: string[] = [];
  let rest = text.trim();
  while (rest.length > room) {
    const space = rest.lastIndexOf(' ', room);
    const cut = space > room / 2 ? space : room;
    lines.push(rest.slice(0, cut).trimEnd());
    rest = rest.slice(cut).trimStart();
  }
  return [...lines, rest];
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
