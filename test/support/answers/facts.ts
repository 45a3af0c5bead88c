/** What the independent answers are computed from: copies as the simulator's truth has them, and coverage rows. */
import type { LakeRow } from '../lake-reader.ts';
import type { Seen } from '../sightings.ts';
import type { Expected, ExpectedLake } from '../truth.ts';
import { scheduleInterval } from './rule-starts.ts';

/** Times are milliseconds since the epoch; sums of bytes are decimal text, as they may exceed 2^53. */
export type Answer = Readonly<Record<string, string | number | boolean | null>>;

export interface Place {
  readonly account: string | null;
  readonly region: string | null;
}

export interface Copy {
  readonly id: string;
  readonly account: string;
  readonly region: string;
  readonly day: string;
  readonly state: string | null;
  readonly created: number;
  readonly ended: number | null;
  readonly resource: string | null;
  readonly type: string | null;
  readonly name: string | null;
  readonly category: string | null;
  readonly bytes: number | null;
  readonly from: Place;
  readonly to: Place;
  /** Of the resource, as far as its ARN tells. */
  readonly home: Place;
  /** Its days after the copy job's creation: an upper bound of its life; null: unknown. */
  readonly expires: number | null;
  readonly leavesAccount: boolean | null;
  readonly leavesRegion: boolean | null;
  readonly plan: string | null;
  readonly rule: string | null;
  /** Between the starts of its rule before and after it, in milliseconds; null: no rule with a schedule. */
  readonly interval: number | null;
  readonly parent: string | null;
  readonly isParent: boolean;
  /** Any other column as it was told. */
  readonly told: (column: string) => string | number | boolean | null;
}

export interface Facts {
  readonly now: number;
  /** Every copy job, parents among them. */
  readonly all: readonly Copy[];
  /** All but parents that have children. */
  readonly leaves: readonly Copy[];
  readonly coverage: readonly LakeRow[];
  /** What each run could see. */
  readonly runs: readonly Seen[];
  /** Since when runs asked for the ends of earlier jobs: see transitionsOf. */
  readonly looks: ReadonlyMap<string, number>;
  /** AWS's own counts of days. */
  readonly counts: readonly Expected[];
}

export const hour = 3_600_000;
export const day = 24 * hour;
const ended = new Set(['COMPLETED', 'FAILED', 'PARTIAL']);

/** @param intervalOf between the starts of the rule around a copy job; lakes made by hand have any */
export function factsOf(
  truth: ExpectedLake,
  coverage: readonly LakeRow[],
  runs: readonly Seen[] = [],
  intervalOf: (row: Expected) => number | null = scheduleInterval,
  looks: ReadonlyMap<string, number> = new Map(),
): Facts {
  const all = [...truth.copy_jobs.values()].map((row) => ({ ...copyOf(row), interval: intervalOf(row) }));
  const now = Math.max(...coverage.map((row) => Number(row.as_of)));
  const counts = [...truth.copy_job_summaries.values()];
  return { now, all, leaves: all.filter((copy) => !copy.isParent), coverage, counts, runs, looks };
}

function copyOf(row: Expected): Omit<Copy, 'interval'> {
  const told = (column: string) => row[column] ?? null;
  const text = (column: string) => (row[column] === undefined ? null : String(row[column]));
  const number = (column: string) => (row[column] === undefined ? null : Number(row[column]));
  const place = (vault: string | null): Place => {
    const [, , , region, account] = vault?.split(':') ?? [];
    return { account: account || null, region: region || null };
  };
  const from = place(text('source_backup_vault_arn'));
  const to = place(text('destination_backup_vault_arn'));
  const leaves = (a: string | null, b: string | null) => (a === null || b === null ? null : a !== b);
  const created = Number(row.creation_time);
  const resource = text('resource_arn');
  const isArn = resource?.startsWith('arn:') === true && resource.split(':').length > 5;
  const keptFor = number('destination_recovery_point_lifecycle_delete_after_days') ?? -1;
  const children = number('number_of_child_jobs');
  return {
    id: String(row.copy_job_id),
    account: String(row.account_id),
    region: String(row.region),
    day: new Date(created).toISOString().slice(0, 10),
    state: text('state'),
    created,
    ended: number('completion_time'),
    resource,
    type: text('resource_type'),
    name: text('resource_name'),
    category: text('message_category'),
    bytes: number('backup_size_in_bytes'),
    from,
    to,
    home: place(isArn ? resource : null),
    expires: keptFor > 0 && keptFor < 100_000 ? created + keptFor * day : null,
    leavesAccount: leaves(from.account, to.account),
    leavesRegion: leaves(from.region, to.region),
    plan: text('created_by_backup_plan_id'),
    rule: text('created_by_backup_rule_id'),
    parent: text('parent_job_id'),
    isParent: children === null ? row.is_parent === true : children > 0,
    told,
  };
}

export const isGood = (copy: Copy): boolean => copy.state === 'COMPLETED';
export const hasEnded = (copy: Copy): boolean => copy.state !== null && ended.has(copy.state);

export interface Elsewhere {
  readonly in_other_account: boolean | null;
  readonly in_other_region: boolean | null;
}

/** Whether a copy lies elsewhere than its resource, or, where that has no place, than some copy to there came from. */
export function elsewhere(leaves: readonly Copy[]): (copy: Copy) => Elsewhere {
  const here = new Map(
    groups(leaves, resourceAndPlace).map(({ first, members }) => [
      JSON.stringify(resourceAndPlace(first)),
      members,
    ]),
  );
  const some = (flags: readonly (boolean | null)[]) => {
    if (flags.includes(true)) return true;
    return flags.includes(false) ? false : null;
  };
  const differ = (home: string | null, there: string | null) =>
    home === null || there === null ? null : home !== there;
  return (copy) => {
    const copies = here.get(JSON.stringify(resourceAndPlace(copy))) ?? [];
    const { home, to } = copy;
    return {
      in_other_account:
        differ(home.account, to.account) ?? some(copies.map(({ leavesAccount }) => leavesAccount)),
      in_other_region: differ(home.region, to.region) ?? some(copies.map(({ leavesRegion }) => leavesRegion)),
    };
  };
}

/** Those created on the UTC day of now or on one of so many days before it. */
export function since(now: number, days: number, copies: readonly Copy[]): readonly Copy[] {
  const today = Math.floor(now / day);
  return copies.filter((copy) => Math.floor(copy.created / day) >= today - days);
}

/** Groups in the order in which they first appear. */
export function groups<T>(items: readonly T[], keyOf: (item: T) => readonly unknown[]): readonly Group<T>[] {
  const found = new Map<string, [T, ...T[]]>();
  for (const item of items) {
    const key = JSON.stringify(keyOf(item));
    const group = found.get(key);
    if (group) group.push(item);
    else found.set(key, [item]);
  }
  return [...found.values()].map((members) => ({ first: members[0], members }));
}

export interface Group<T> {
  readonly first: T;
  readonly members: readonly T[];
}

export const resourceAndPlace = ({ resource, to }: Copy) => [resource, to.account, to.region];
export const journey = ({ from, to }: Copy) => [from.account, from.region, to.account, to.region];

export const bytesOf = (copies: readonly Copy[]): string =>
  copies.reduce((sum, copy) => sum + BigInt(copy.bytes ?? 0), 0n).toString();

export const percent = (part: number, whole: number): number | null =>
  whole === 0 ? null : twoDecimals((part * 100) / whole);

export const spanIn = (unit: number, from: number | null, to: number | null): number | null =>
  from === null || to === null ? null : twoDecimals((to - from) / unit);

/** Halves go away from zero. */
const twoDecimals = (value: number): number =>
  Math.sign(value) * (Math.round(Math.abs(value) * 100) / 100) + 0;

export const latest = (times: readonly (number | null)[]): number | null =>
  times.reduce<number | null>((a, b) => (a === null || (b !== null && b > a) ? b : a), null);

export const earliest = (times: readonly (number | null)[]): number | null =>
  times.reduce<number | null>((a, b) => (a === null || (b !== null && b < a) ? b : a), null);

export const lastInOrder = (texts: readonly (string | number | boolean | null)[]): string | null =>
  texts.reduce<string | null>(
    (a, b) => (b !== null && (a === null || compare(String(b), a) > 0) ? String(b) : a),
    null,
  );

export const distinct = (values: readonly unknown[]): number =>
  new Set(values.filter((value) => value !== null)).size;

/** The youngest by creation; of those created at once the one whose id is last in order. */
export const youngest = (copies: readonly Copy[]): Copy | undefined =>
  [...copies].sort((a, b) => a.created - b.created || compare(a.id, b.id)).at(-1);

type Direction = 'up' | 'down';

/** Sorts by columns; text by its UTF-8 bytes. Nulls come last, unless `+` says first. */
export function sorted(
  rows: readonly Answer[],
  order: Readonly<Record<string, Direction | 'up+' | 'down+'>>,
): Answer[] {
  return [...rows].sort((a, b) => {
    for (const [column, direction] of Object.entries(order)) {
      const [x, y] = [a[column] ?? null, b[column] ?? null];
      if (x === y) continue;
      if (x === null) return direction.endsWith('+') ? -1 : 1;
      if (y === null) return direction.endsWith('+') ? 1 : -1;
      const order = compare(x, y);
      if (order !== 0) return direction.startsWith('down') ? -order : order;
    }
    return 0;
  });
}

function compare(a: string | number | boolean, b: string | number | boolean): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return Number(a) - Number(b);
}
