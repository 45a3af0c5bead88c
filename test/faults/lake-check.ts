/** What holds after every run, however it was hurt. Told from outside: the lake on disk, AWS's truth, the process's end. */
import type { LakeRow } from '../support/lake-reader.ts';
import type { Ended } from './exporter.ts';
import { bucketNumber, type LakeView, type RunRecord, rowsIn } from './lake-view.ts';

/** What AWS shows at this instant. */
export interface AwsTruth {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** By `<account>/<region>` of who lists it: id and creation time. */
  readonly jobs: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** By `<account>/<region>`: how many daily counts AWS still shows. */
  readonly counts: ReadonlyMap<string, number>;
}

export interface Looked {
  readonly before: LakeView;
  readonly after: LakeView;
  readonly ended: Ended;
  readonly truth: AwsTruth;
  /** The run was told to stop. */
  readonly stopped: boolean;
}

/** Of a lake that a person has damaged: what may be as it should not be, until it is mended. */
export interface Damage {
  readonly unreadable?: RegExp;
  readonly foreign?: RegExp;
  /** Parts whose rows may lie in a wrong place, or twice. */
  readonly misplaced?: RegExp;
  /** Rows that may be missing: they lay in a part that is damaged. */
  readonly missing?: RegExp;
  readonly watermarks?: boolean;
  readonly ledger?: RegExp;
}

const documented = new Set([0, 64, 65, 66, 69, 74, 75, 76, 77, 78]);
const covered = new Set(['OK', 'OK_EMPTY', 'REJECTED_RECORDS']);
const ofTime = new Set([
  'SKIPPED',
  'INTERRUPTED',
  'THROTTLED',
  'UNREACHABLE',
  'TIMED_OUT',
  'PUBLISH_FAILED',
  'FAILED',
]);
const terminal = new Set(['COMPLETED', 'FAILED', 'PARTIAL']);

/** Everything that does not hold; empty when all does. */
export function violations(looked: Looked, damage: Damage = {}): string[] {
  const run = runOf(looked);
  return [
    ...wholeParts(looked.after, damage),
    ...oneRowEach(looked.after, damage),
    ...rightPlaces(looked.after, damage),
    ...nothingLost(looked, damage),
    ...honestCoverage(looked, run, damage),
    ...honestWatermarks(looked, run, damage),
    ...honestEnd(looked, run),
  ].map((text) => (text.length > 600 ? `${text.slice(0, 600)}…` : text));
}

function wholeParts({ unreadable, foreign, brokenLedger }: LakeView, damage: Damage): string[] {
  return [
    ...[...unreadable]
      .filter(([key]) => !damage.unreadable?.test(key))
      .map(([key, why]) => `unreadable part ${key}: ${why}`),
    ...foreign.filter((key) => !damage.foreign?.test(key)).map((key) => `${key} lies among the parts`),
    ...brokenLedger.filter((line) => !damage.ledger?.test(line)).map((line) => `broken ledger: ${line}`),
  ];
}

function oneRowEach(view: LakeView, damage: Damage): string[] {
  const found: string[] = [];
  for (const [table, keyOf] of [
    ['copy_jobs', (row: LakeRow) => String(row.copy_job_id)],
    ['copy_job_summaries', countKey],
  ] as const) {
    const seen = new Map<string, string>();
    for (const part of view.parts.filter((one) => one.table === table)) {
      for (const row of part.rows) {
        const key = keyOf(row);
        const other = seen.get(key);
        if (other !== undefined && !damage.misplaced?.test(part.key) && !damage.misplaced?.test(other)) {
          found.push(`doubled: ${key} lies in ${other} and ${part.key}`);
        }
        seen.set(key, part.key);
      }
    }
  }
  return capped(found);
}

function countKey(row: LakeRow): string {
  return [
    'aggregation_period',
    'account_id',
    'region',
    'start_time',
    'state',
    'resource_type',
    'message_category',
  ]
    .map((name) => String(row[name] ?? ''))
    .join('|');
}

function rightPlaces(view: LakeView, damage: Damage): string[] {
  const found: string[] = [];
  for (const part of view.parts) {
    if (part.table === 'export_coverage' || part.table === 'export_reconciliation') continue;
    if (damage.misplaced?.test(part.key)) continue;
    const number = Number(/part-(\d{5})\.parquet$/.exec(part.key)?.[1]);
    for (const row of part.rows) {
      const [time, day] =
        part.table === 'copy_jobs'
          ? [row.creation_time, row.creation_date]
          : [row.start_time, row.start_date];
      const its = new Date(Number(time)).toISOString().slice(0, 10);
      if (its !== day) found.push(`${part.key} holds a row of ${its}`);
      if (view.buckets !== null && bucketNumber(String(row.account_id), view.buckets) !== number) {
        found.push(`${part.key} holds a row of account ${row.account_id}, which belongs into another bucket`);
      }
    }
  }
  return capped(found);
}

function nothingLost({ before, after }: Looked, damage: Damage): string[] {
  const now = new Map(rowsIn(after, 'copy_jobs').map((row) => [String(row.copy_job_id), row]));
  const found: string[] = [];
  for (const part of before.parts.filter(({ table }) => table === 'copy_jobs')) {
    if (damage.missing?.test(part.key)) continue;
    for (const row of part.rows) {
      const id = String(row.copy_job_id);
      const its = now.get(id);
      if (its === undefined) found.push(`lost: job ${id} of ${part.key}`);
      else if (terminal.has(String(row.state)) && its.state !== row.state) {
        found.push(`went back: job ${id} was ${row.state} and is ${its.state}`);
      }
    }
  }
  const slice = ({ aggregation_period: period, start_date: day, account_id: account, region }: LakeRow) =>
    `${period}/${day}/${account}/${region}`;
  const slices = new Set(rowsIn(after, 'copy_job_summaries').map(slice));
  const gone = new Set(
    before.parts
      .filter(({ table, key }) => table === 'copy_job_summaries' && !damage.missing?.test(key))
      .flatMap(({ rows }) => rows.map(slice))
      .filter((name) => !slices.has(name)),
  );
  return capped([...found, ...[...gone].map((name) => `lost: all counts of ${name}`)]);
}

/** The run that this look is about; null when it left no begin record. */
function runOf({ before, after }: Looked): RunRecord | null {
  const known = new Set(before.runs.map(({ runId }) => runId));
  const fresh = after.runs.filter(({ runId }) => !known.has(runId));
  if (fresh.length > 1) throw new Error(`one run left ${fresh.length} begin records`);
  return fresh[0] ?? null;
}

export function coverageOf(looked: Looked): LakeRow[] {
  const run = runOf(looked);
  return rowsIn(looked.after, 'export_coverage').filter(({ run_id: id }) => id === run?.runId);
}

function honestCoverage(looked: Looked, run: RunRecord | null, damage: Damage): string[] {
  const { after, truth } = looked;
  const rows = coverageOf(looked);
  const found: string[] = [];
  if (run === null) return rows.length > 0 ? ['coverage of a run without a begin record'] : [];
  const plan: readonly unknown[] = Array.isArray(run.begin.plan) ? run.begin.plan : [];
  const name = (one: unknown, table: string) =>
    [table, 'account_id', 'region'].map((field) => String(Reflect.get(Object(one), field))).join('/');
  if (run.manifest !== null || rows.length > 0) {
    const planned = plan.map((one) => name(one, 'table')).sort();
    const told = rows.map((row) => name(row, 'table_name')).sort();
    if (planned.join() !== told.join()) {
      found.push(`coverage has ${told.length} rows for a plan of ${planned.length}`);
    }
  }
  const jobs = new Set(rowsIn(after, 'copy_jobs').map(({ copy_job_id: id }) => id));
  const counts = countsByTarget(after);
  for (const row of rows) {
    const target = `${row.account_id}/${row.region}`;
    if (row.status !== 'OK' && row.status !== 'OK_EMPTY') continue;
    if (Number(row.as_of) > truth.now)
      found.push(`${row.status} of ${target} as of ${iso(row.as_of)}, which is to come`);
    if (row.table_name === 'copy_job_summaries') {
      const there = truth.counts.get(target) ?? 0;
      if (row.status === 'OK_EMPTY' && there > 0)
        found.push(`OK_EMPTY of ${target}, and AWS shows ${there} counts`);
      if (row.status === 'OK' && there > 0 && (counts.get(target) ?? 0) === 0 && !damage.missing) {
        found.push(`OK of the counts of ${target}, and the lake has none`);
      }
      continue;
    }
    const from = row.window_from === null ? Number.NEGATIVE_INFINITY : Number(row.window_from);
    const to = Number(row.window_to);
    if (from >= to)
      found.push(`${row.status} of ${target} for the empty window from ${iso(from)} to ${iso(to)}`);
    if (to > truth.now) found.push(`${row.status} of ${target} up to ${iso(to)}, which is to come`);
    const within = [...(truth.jobs.get(target) ?? [])].filter(([, at]) => at >= from && at < to);
    const missing = within.filter(([id]) => !jobs.has(id));
    if (row.status === 'OK_EMPTY' && within.length > 0) {
      found.push(`OK_EMPTY of ${target}, and AWS shows ${within.length} jobs in its window`);
    }
    if (row.status === 'OK' && missing.length > 0 && !damage.missing) {
      found.push(
        `OK of ${target}, and ${missing.length} of ${within.length} jobs in its window are not in the lake`,
      );
    }
  }
  return capped(found);
}

function countsByTarget(view: LakeView): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { account_id: account, region } of rowsIn(view, 'copy_job_summaries')) {
    counts.set(`${account}/${region}`, (counts.get(`${account}/${region}`) ?? 0) + 1);
  }
  return counts;
}

function honestWatermarks({ before, after, truth }: Looked, run: RunRecord | null, damage: Damage): string[] {
  if (damage.watermarks) return [];
  const found: string[] = [];
  const jobs = new Set(rowsIn(after, 'copy_jobs').map(({ copy_job_id: id }) => id));
  for (const { name, from, to } of after.watermarks) {
    if (to > truth.now) found.push(`the watermark of ${name} lies at ${iso(to)}, which is to come`);
    const [table, ...target] = name.split('/');
    if (table !== 'copy_jobs') continue;
    const missing = [...(truth.jobs.get(target.join('/')) ?? [])].filter(
      ([id, at]) => at >= (from ?? Number.NEGATIVE_INFINITY) && at < to && !jobs.has(id),
    );
    if (missing.length > 0 && !damage.missing) {
      found.push(`the watermark of ${name} covers ${missing.length} jobs that are not in the lake`);
    }
  }
  const marks = (view: LakeView) =>
    JSON.stringify([...view.watermarks].sort((a, b) => (a.name < b.name ? -1 : 1)));
  if (run?.manifest == null && marks(before) !== marks(after))
    found.push('a run without a manifest moved watermarks');
  return capped(found);
}

function honestEnd(looked: Looked, run: RunRecord | null): string[] {
  const { ended, stopped } = looked;
  if (ended.overdue) return ['the run did not end by itself within its deadline'];
  if (ended.signal !== null)
    return ended.signal === 'SIGKILL' ? [] : [`ended by ${ended.signal}, without an exit code`];
  const code = ended.code ?? -1;
  if (!documented.has(code)) return [`exit code ${code} is not one that a run may end with`];
  const rows = coverageOf(looked);
  const statuses = rows.map(({ status }) => String(status));
  const failing = statuses.filter((status) => !covered.has(status) && status !== 'REGION_DISABLED');
  const is = (condition: boolean, text: string) => (condition ? [] : [`exit code ${code}, but ${text}`]);
  if (code === 0) {
    return [
      ...is(run?.manifest != null, 'the run has no manifest'),
      ...is(failing.length === 0, `the coverage says ${[...new Set(failing)].join(', ')}`),
      ...is(!statuses.includes('REJECTED_RECORDS'), 'records were rejected'),
      ...is(!stopped || failing.length === 0, 'it was stopped before its end'),
    ];
  }
  // A run that could not begin, or whose ledger could not be closed, has said why in its last line.
  if (rows.length === 0) return is(code !== 65, 'there is no coverage that says so');
  switch (code) {
    case 65:
      return is(
        statuses.includes('REJECTED_RECORDS') && failing.length === 0,
        `the coverage says ${statuses.join(', ')}`,
      );
    case 69:
      return is(!statuses.some((status) => covered.has(status)), 'targets were read');
    case 75:
      return is(
        stopped || statuses.some((status) => ofTime.has(status)),
        'nothing in the coverage is for time to heal',
      );
    case 77:
      return is(!statuses.some((status) => ofTime.has(status)), 'time can heal a part of it');
    default:
      return [];
  }
}

function iso(epochMs: unknown): string {
  const time = Number(epochMs);
  return Number.isFinite(time) ? new Date(time).toISOString() : String(epochMs);
}

/** A lake that is broken in one way is often broken a thousand times. */
function capped(found: readonly string[], most = 3): string[] {
  return found.length <= most
    ? [...found]
    : [...found.slice(0, most), `… and ${found.length - most} more of the kind`];
}
