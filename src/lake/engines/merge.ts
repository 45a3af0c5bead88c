/**
 * The merge rules: the reference, in plain TypeScript. The engine parquetjs-lite runs this code. DuckDB's SQL (merge-sql.ts)
 * implements the same rules, and a property test compares the two.
 *
 * Upsert. The observations of a row are the published row and the staged rows with the same key.
 * - The winner gives the content. A terminal observation wins over others, then the later `observed_at`, then staged over
 *   published (AWS's clock has whole seconds, and what was read last is closer to what AWS shows), then the greater content.
 *   If the winner is terminal, the next terminal observation fills its nulls.
 * - The target (`region`, `account_id`, `queried_account_id`) comes from the observation whose target has precedence: the
 *   job's owner, then the source vault's region, then the lowest account and region.
 * - `first_observed_at` is the earliest of all. The rest of the provenance is the winner's.
 * - `state_history` is made of all observations: see merged-history.ts.
 * - A row whose compared columns and history do not change stays as it is, including its provenance.
 * - A published row that claims to have been observed in the future had a wrong clock. Its observation time becomes null, so
 *   any staged row replaces it and gives it a time again.
 *
 * An unchanged row keeps its `observed_at`, and a filled null does not record its time. So the result does not depend on the
 * order of observation only if a job never returns to an earlier value, and terminal observations differ only in nulls. AWS's
 * jobs behave like that.
 */
import { comparedColumns, type Row, type Table, type Value, withDerived } from '../../tables/table.ts';
import { contentColumns, hasColumn, targetPrecedence, tieColumns } from './column-roles.ts';
import { type MergeOutcome, mostUnlike, type StagedFate } from './engine.ts';
import { mergedHistory } from './merged-history.ts';
import { byColumns, compareValues } from './value-order.ts';

export interface Merged {
  /** In the table's order, with derived columns. If the outcome says unchanged: the rows as they were. */
  readonly rows: readonly Row[];
  readonly outcome: MergeOutcome;
  readonly fate: StagedFate;
}

type Partition = Readonly<Record<string, string>>;

/** Merges by the table's rule. Missing columns count as null. Derived columns may use `partition`; `latest`: see MergeRequest. */
export function mergeRows(
  table: Table,
  existing: readonly Row[],
  staged: readonly Row[],
  partition: Partition = {},
  latest: number = Number.POSITIVE_INFINITY,
): Merged {
  const published = existing.map((row) => withoutFuture(row, latest));
  switch (table.merge.kind) {
    case 'upsert':
      return mergeUpsert(table, published, staged, partition, latest);
    case 'replace-slice':
      return mergeSlices(table, published, staged, partition);
    case 'append':
      return mergeAppend(table, published, staged, partition);
  }
}

/** Removes observation times that lie in the future. */
function withoutFuture(row: Row, latest: number): Row {
  const isLater = (name: string) => Number(at(row, name) ?? Number.NEGATIVE_INFINITY) > latest;
  if (!isLater('observed_at') && !isLater('first_observed_at')) return row;
  return {
    ...row,
    ...(isLater('observed_at') ? { observed_at: null } : {}),
    ...(isLater('first_observed_at') ? { first_observed_at: null } : {}),
  };
}

function mergeUpsert(
  table: Table,
  existing: readonly Row[],
  staged: readonly Row[],
  partition: Partition,
  latest: number,
): Merged {
  if (table.merge.kind !== 'upsert') throw new TypeError(`${table.name} is not merged by upsert`);
  const combine = combiner(table);
  const isSame = sameIn(table);
  const hasHistory = hasColumn(table, 'state_history');
  const withHistory = (merged: Row, before: readonly Row[], observations: readonly Row[]): Row => {
    if (!hasHistory || before.length + observations.length === 1) return merged;
    const history = mergedHistory(before, observations, latest);
    return history === null ? merged : { ...merged, state_history: history };
  };
  // A row without a history, of an older version, is not written again for the sake of one.
  const isUnchanged = (row: Row, merged: Row): boolean =>
    isSame(row, merged) && (at(row, 'state_history') === null || row.state_history === merged.state_history);
  const { key: keyNames } = table.merge;
  const published = groupBy(existing, keyNames);
  const tally = newTally();
  const replaced = new Set<string>();
  const unlike: Value[][] = [];
  const rows: Row[] = [];
  for (const [key, observations] of groupBy(staged, keyNames)) {
    const before = published.get(key) ?? [];
    const [only] = before;
    if (only !== undefined && before.length === 1 && observations.every((row) => isSame(only, row))) {
      tally.unchanged += 1;
      if (at(only, 'observed_at') === null) unlike.push(keyNames.map((name) => at(only, name)));
      continue;
    }
    const merged = withHistory(combine(before, observations), before, observations);
    const unchanged = only !== undefined && before.length === 1 && isUnchanged(only, merged);
    const row = unchanged ? only : merged;
    const isAlike =
      at(row, 'observed_at') !== null && observations.every((observed) => isSame(row, observed));
    if (!isAlike) unlike.push(keyNames.map((name) => at(row, name)));
    if (unchanged) {
      tally.unchanged += 1;
      continue;
    }
    replaced.add(key);
    rows.push(merged);
    if (only === undefined) tally.added += 1;
    else tally.updated += 1;
  }
  for (const [key, before] of published) {
    if (!replaced.has(key)) rows.push(...before);
  }
  return finish(table, existing, rows, tally, partition, unlike);
}

/**
 * If several drains of a slice are staged, the latest wins as a whole. It replaces the published slice, unless that was
 * observed later. Rows that did not change keep their provenance.
 */
function mergeSlices(
  table: Table,
  existing: readonly Row[],
  staged: readonly Row[],
  partition: Partition,
): Merged {
  if (table.merge.kind !== 'replace-slice') throw new TypeError(`${table.name} is not merged by slices`);
  const { slice, key } = table.merge;
  const isSame = sameIn(table);
  const byContent = byColumns(tieColumns(table).map(({ name }) => name));
  const publishedSlices = groupBy(existing, slice);
  const tally = newTally();
  const unlike: Value[][] = [];
  const rows: Row[] = [];
  for (const [sliceKey, observations] of groupBy(staged, slice)) {
    const latest = latestIn(observations);
    const drained = observations.filter((row) => at(row, 'observed_at') === latest);
    const published = publishedSlices.get(sliceKey) ?? [];
    const fresh = groupBy(drained, key);
    if (compareValues(latestIn(published), latest) > 0) {
      tally.unchanged += fresh.size;
      unlike.push(slice.map((name) => at(observations[0] ?? {}, name)));
      continue;
    }
    publishedSlices.delete(sliceKey);
    const before = groupBy(published, key);
    for (const [rowKey, candidates] of fresh) {
      const row = best(candidates, byContent);
      const olds = before.get(rowKey) ?? [];
      const [old] = olds;
      const seen = [...olds, row].map(firstSeen).filter((time) => time !== null);
      const merged = { ...row, first_observed_at: lowest(seen) };
      if (old === undefined) tally.added += 1;
      else if (olds.length > 1 || !isSame(old, merged)) tally.updated += 1;
      else tally.unchanged += 1;
      rows.push(old !== undefined && olds.length === 1 && isSame(old, merged) ? old : merged);
    }
    for (const rowKey of before.keys()) {
      if (!fresh.has(rowKey)) tally.removed += 1;
    }
  }
  for (const untouched of publishedSlices.values()) rows.push(...untouched);
  return finish(table, existing, rows, tally, partition, unlike);
}

function mergeAppend(
  table: Table,
  existing: readonly Row[],
  staged: readonly Row[],
  partition: Partition,
): Merged {
  const tally = newTally();
  tally.added = staged.length;
  return finish(table, existing, [...existing, ...staged], tally, partition, []);
}

/** Combines all observations of a row into one row. */
function combiner(table: Table): (published: readonly Row[], staged: readonly Row[]) => Row {
  const content = contentColumns(table).map(({ name }) => name);
  const target = targetPrecedence(table);
  const byContent = byColumns(tieColumns(table).map(({ name }) => name));
  const byName = byColumns(target);
  return (published, staged) => {
    const observations = [...published, ...staged];
    const [only] = observations;
    if (only !== undefined && observations.length === 1) {
      return { ...only, first_observed_at: firstSeen(only) };
    }
    const ranked = observations
      .map((row, at) => ({ row, fresh: at >= published.length, derived: withDerived(table, row) }))
      .map(({ row, fresh, derived }) => ({
        row,
        fresh,
        terminal: derived.is_terminal === true,
        owned: same(row.queried_account_id, row.account_id),
        atSource: same(row.region, derived.source_region),
      }))
      .sort(
        (a, b) =>
          Number(b.terminal) - Number(a.terminal) ||
          compareValues(at(b.row, 'observed_at'), at(a.row, 'observed_at')) ||
          Number(b.fresh) - Number(a.fresh) ||
          byContent(b.row, a.row),
      );
    const [winner] = ranked;
    const [asked] = [...ranked].sort(
      (a, b) =>
        Number(b.owned) - Number(a.owned) || Number(b.atSource) - Number(a.atSource) || byName(a.row, b.row),
    );
    if (winner === undefined || asked === undefined) throw new TypeError('no observation to combine');
    const givers = winner.terminal ? ranked.filter(({ terminal }) => terminal) : [winner];
    const merged: Record<string, Value> = { ...winner.row };
    for (const name of content) {
      merged[name] = givers.map(({ row }) => at(row, name)).find((value) => value !== null) ?? null;
    }
    for (const name of target) merged[name] = at(asked.row, name);
    merged.first_observed_at = lowest(observations.map(firstSeen).filter((time) => time !== null));
    return merged;
  };
}

function finish(
  table: Table,
  existing: readonly Row[],
  rows: readonly Row[],
  tally: Tally,
  partition: Partition,
  unlike: readonly (readonly Value[])[],
): Merged {
  const { added, updated, unchanged, removed } = tally;
  const changed = added + updated + removed > 0;
  const complete = changed
    ? rows.map((row) => withDerived(table, { ...row, ...partition })).sort(byColumns(table.sortBy))
    : existing;
  return {
    rows: complete,
    outcome: { changed, rows: complete.length, added, updated, unchanged, removed },
    fate: { unlike: unlike.length > mostUnlike ? null : unlike, latestPublished: latestSeen(existing) },
  };
}

interface Tally {
  added: number;
  updated: number;
  unchanged: number;
  removed: number;
}

function newTally(): Tally {
  return { added: 0, updated: 0, unchanged: 0, removed: 0 };
}

/** Whether nothing has changed. It is a change if a row gets an observation time. */
function sameIn(table: Table): (published: Row, merged: Row) => boolean {
  const compared = comparedColumns(table).map(({ name }) => name);
  return (published, merged) =>
    compared.every((name) => at(published, name) === at(merged, name)) &&
    (at(published, 'observed_at') !== null || at(merged, 'observed_at') === null);
}

function groupBy(rows: readonly Row[], names: readonly string[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(names.map((name) => at(row, name)));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}

function keyOf(values: readonly Value[]): string {
  return JSON.stringify(values);
}

function latestIn(rows: readonly Row[]): Value {
  return rows.reduce<Value>((latest, row) => {
    const observed = at(row, 'observed_at');
    return compareValues(observed, latest) > 0 ? observed : latest;
  }, null);
}

function latestSeen(rows: readonly Row[]): number | null {
  let latest: number | null = null;
  for (const row of rows) {
    for (const time of [at(row, 'observed_at'), at(row, 'first_observed_at')]) {
      if (typeof time === 'number' && (latest === null || time > latest)) latest = time;
    }
  }
  return latest;
}

function best(rows: readonly Row[], order: (a: Row, b: Row) => number): Row {
  return rows.reduce((champion, row) => (order(row, champion) > 0 ? row : champion));
}

function firstSeen(row: Row): Value {
  return at(row, 'first_observed_at') ?? at(row, 'observed_at');
}

function lowest(values: readonly Value[]): Value {
  return values.reduce<Value>(
    (low, value) => (low === null || compareValues(value, low) < 0 ? value : low),
    null,
  );
}

function same(a: Value | undefined, b: Value | undefined): boolean {
  return a !== null && a !== undefined && a === b;
}

function at(row: Row, name: string): Value {
  return row[name] ?? null;
}
