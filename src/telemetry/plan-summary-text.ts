/** Prints the result of `plan`: first what cannot be read and why, then what can, in a few lines. */
import { exitCodes } from '../shared/exit-codes.ts';
import { targetName } from '../targets/target.ts';
import { adviceFor } from './advice.ts';
import { firstLossLine } from './data-loss-text.ts';
import { countTargets, needsPersonLine, renderFailures } from './failure-groups.ts';
import { size } from './human-units.ts';
import { count, grouped, listSome, paragraphs } from './paragraphs.ts';
import { printable } from './printable.ts';
import type { PlannedTarget, PlanSummary, RunSize } from './run-summary.ts';
import { renderForeign } from './run-summary-text.ts';
import { painter } from './status-colors.ts';

/** The number of lines printed for readable targets; `--output json` has every target. */
const shownGroups = 10;
/** A group with at most this many accounts or regions names them; a larger one shows their number. */
const namedAccounts = 2;
const namedRegions = 4;

/** @param columns the terminal's width @param color whether statuses are coloured */
export function renderPlanSummary(summary: PlanSummary, columns = 100, color = false): string {
  const paint = painter(color);
  const exceptions = summary.plan.filter(({ status }) => status !== 'OK').sort(byNeedAndName);
  const failures = exceptions.map(({ error, ...one }) => ({
    ...one,
    error: error ?? '',
    advice: adviceFor(one.status, error?.split(':', 1)[0] ?? null),
  }));
  const blocks = [
    paragraphs(columns, [
      `Plan for ${printable(summary.lake)} (${summary.lake_exists ? 'exists' : 'new'}), as of ${summary.as_of}. Nothing was written.`,
      `${count(summary.targets, 'target')}, ${grouped(summary.readable)} readable; export would take about ${count(summary.expected_requests, 'request')} and ${minutes(summary.expected_minutes)}.`,
      ...sizeLines(summary.size),
    ]),
    renderFailures(
      failures,
      `${count(failures.length, 'table')} of ${count(countTargets(failures), 'target')} would not be read`,
      summary.as_of,
      columns,
      paint,
    ),
    paragraphs(columns, [printable(firstLossLine(failures, summary.as_of))]),
    renderForeign(summary.foreign_objects, columns),
    paragraphs(
      columns,
      fineLines(summary.plan, (text) => paint('OK', text)),
    ),
    paragraphs(columns, [`Exit code ${summary.exit_code}: ${exitCodes[summary.exit_code]}.`]),
    needsPersonLine(failures, columns, paint),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

/** What the run would write, need and cost; `--output json` has more. */
function sizeLines(estimate: RunSize): readonly string[] {
  const { jobs, counts, parts, us_dollars: dollars } = estimate;
  if (jobs + counts === 0) return [];
  const { suggested_shards: shards, suggested_buckets: buckets } = estimate;
  const written = `${count(jobs, 'copy job')}, which take ${size(estimate.parquet_bytes)}, in up to ${count(parts, 'file')}`;
  const needed = `${minutes(estimate.cpu_minutes)} of one core, ${size(estimate.memory_bytes)} of memory, ${usd(dollars.s3_requests)} for S3 requests and ${usd(dollars.s3_storage_per_month)} for a month’s storage`;
  const advice =
    shards > 1
      ? `share it among ${count(shards, 'shard')} and ${count(buckets, 'bucket')} (docs/scale.md)`
      : 'one container is enough';
  return [`Estimated: ${written}; ${needed}; ${advice}.`];
}

function usd(amount: number): string {
  return amount < 0.01 ? 'less than $0.01' : `$${amount.toFixed(2)}`;
}

/** One line for all accounts that are readable in the same regions: `496 accounts × 10 regions: fine, …`; largest first. */
function fineLines(plan: readonly PlannedTarget[], paint: (text: string) => string): readonly string[] {
  const targets = [...Map.groupBy(plan, targetOf).values()];
  const fine = targets.filter((drains) => drains.every(({ status }) => status === 'OK')).flat();
  const accounts = [...Map.groupBy(fine, ({ account_id }) => account_id).values()];
  const groups = [...Map.groupBy(accounts, (drains) => regionsOf(drains).join()).values()]
    .map((group) => ({ group, targets: countTargets(group.flat()) }))
    .sort((a, b) => b.targets - a.targets);
  const lines = groups.slice(0, shownGroups).map(({ group }) => fineLine(group, paint));
  const left = groups.slice(shownGroups).reduce((sum, { targets }) => sum + targets, 0);
  return left === 0
    ? lines
    : [...lines, `${count(left, 'more target')}: ${paint('fine')} (--output json has all).`];
}

function fineLine(group: readonly (readonly PlannedTarget[])[], paint: (text: string) => string): string {
  const drains = group.flat();
  const names = group.flatMap(([first]) => (first === undefined ? [] : [nameOf(first)])).sort();
  const accounts =
    names.length <= namedAccounts ? names.map(printable).join(', ') : count(names.length, 'account');
  const regions = regionsOf(drains);
  const where =
    regions.length <= namedRegions
      ? printable(listSome(regions, namedRegions))
      : count(regions.length, 'region');
  const requests = drains.reduce((sum, { expected_requests: n }) => sum + n, 0);
  return `${accounts} × ${where}: ${paint('fine')}, ${[...beginnings(drains), count(requests, 'request')].join(', ')}`;
}

function nameOf({ account_id: id, account_name: name }: PlannedTarget): string {
  return name === null ? id : `${id} ${name}`;
}

function regionsOf(drains: readonly PlannedTarget[]): readonly string[] {
  return [...new Set(drains.map(({ region }) => region))].sort();
}

/** The start of the copy jobs that would be read; empty if no drain has a window. */
function beginnings(drains: readonly PlannedTarget[]): readonly string[] {
  const from = drains
    .flatMap(({ window_to, window_from }) => (window_to === null ? [] : [window_from?.slice(0, 16) ?? null]))
    .sort();
  const known = from.filter((one) => one !== null);
  const [first, last] = [known[0], known.at(-1)];
  const whole = from.length - known.length;
  if (first === undefined || last === undefined) return whole === 0 ? [] : ['everything AWS still has'];
  const since =
    first === last
      ? `jobs created since ${minuteOf(first)} UTC`
      : `jobs created since ${minuteOf(first)} to ${minuteOf(last)} UTC, depending on the target`;
  const looks = drains.filter(({ ended_since: ended }) => typeof ended === 'string').length;
  return [
    since,
    ...(whole === 0 ? [] : [`everything AWS still has in ${count(whole, 'target')}`]),
    ...(looks === 0 ? [] : [`earlier jobs that have ended lately in ${count(looks, 'target')}`]),
  ];
}

function minuteOf(iso: string): string {
  return iso.replace('T', ' ');
}

function minutes(n: number): string {
  return n < 1 ? 'less than a minute' : count(Math.round(n), 'minute');
}

/** Targets that need a person come first. */
function byNeedAndName(a: PlannedTarget, b: PlannedTarget): number {
  const name = (planned: PlannedTarget) => `${targetOf(planned)}/${planned.table}`;
  return Number(b.needs_person) - Number(a.needs_person) || (name(a) < name(b) ? -1 : 1);
}

function targetOf({ account_id: accountId, region }: PlannedTarget): string {
  return targetName({ accountId, region });
}
