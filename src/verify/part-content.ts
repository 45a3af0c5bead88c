/**
 * Reads a part whole, one column of one row group at a time, and compares it with what a part may hold: schema, key,
 * order, partition, bucket, derived columns, and the statistics in its footer.
 */

import { footerOf, type OpenPart, readValues } from '../lake/engines/part-reader.ts';
import { byColumns, compareValues } from '../lake/engines/value-order.ts';
import type { TableKey } from '../lake/layout.ts';
import { dayColumn, outsideBucket, outsideDay } from '../lake/part-placement.ts';
import type { Column, Row, Table, Value } from '../tables/table.ts';
import { count, grouped } from '../telemetry/paragraphs.ts';
import { wrongStatistics } from './column-statistics.ts';
import type { FindingKind } from './finding.ts';

export interface Observation {
  readonly kind: FindingKind;
  readonly what: string;
}

export interface PartContent {
  readonly rows: number;
  readonly observations: readonly Observation[];
}

export interface ContentOptions {
  readonly table: Table;
  readonly place: TableKey;
  readonly buckets: number;
  /** Called with each row group's rows; they have only the columns of the table's key, its order, and `extra`. */
  readonly onRows?: (rows: readonly Row[]) => Promise<void> | void;
  /** More columns for `onRows`. */
  readonly extra?: readonly string[];
}

/** @throws EngineError when the part cannot be read */
export async function readContent(part: OpenPart, options: ContentOptions): Promise<PartContent> {
  const { table } = options;
  const observations: Observation[] = [];
  const note = (kind: FindingKind, what: string | null): void => {
    // Of each kind, the first says enough: a wrong order is wrong for every row that follows.
    if (what !== null && !observations.some((one) => one.kind === kind)) observations.push({ kind, what });
  };
  for (const what of wrongSchema(part, table)) note('schema-wrong', what);
  const there = table.columns.filter(({ name, type }) => part.columns.get(name) === type);
  const kept = keptColumns(options, there);
  const isDerivable = derivable(there);
  const check = rowChecks(options, note);
  let from = 0;
  for (const [number, group] of part.metadata.row_groups.entries()) {
    const to = from + Number(group.num_rows);
    const values = new Map<string, readonly Value[]>();
    for (const column of there) {
      const own = await readValues(part, column.name, from, to);
      if (own.length !== to - from) {
        note(
          'row-count-wrong',
          `column ${column.name} has ${count(own.length, 'value')} in ${count(to - from, 'row')}`,
        );
      }
      const chunk = group.columns.find(
        ({ meta_data: meta }) => meta?.path_in_schema.join('.') === column.name,
      );
      note('statistics-wrong', wrongStatistics(column.name, own, chunk?.meta_data?.statistics, number));
      if (kept.has(column.name)) values.set(column.name, own);
    }
    const rows = Array.from({ length: to - from }, (_, at): Row => {
      const row: Record<string, Value> = {};
      for (const [name, own] of values) row[name] = own[at] ?? null;
      return row;
    });
    check(rows);
    for (const column of isDerivable) note('derived-wrong', wrongDerived(column, rows));
    await options.onRows?.(rows);
    from = to;
  }
  if (from !== part.rows) {
    note(
      'row-count-wrong',
      `its footer says ${count(part.rows, 'row')}, and its row groups have ${grouped(from)}`,
    );
  }
  check(null);
  return { rows: from, observations };
}

function wrongSchema(part: OpenPart, table: Table): readonly string[] {
  const wrong: string[] = [];
  const known = new Map(table.columns.map(({ name, type }) => [name, type]));
  for (const [name, type] of part.columns) {
    const expected = known.get(name);
    if (expected === undefined) wrong.push(`it has a column ${name}, which ${table.name} does not have`);
    else if (type !== expected) wrong.push(`its column ${name} does not have the type ${expected}`);
  }
  // Parts of earlier versions may have fewer columns.
  if (footerOf(part).get('schema_version') !== String(table.schemaVersion)) return wrong;
  const missing = table.columns.filter(({ name }) => !part.columns.has(name)).map(({ name }) => name);
  return missing.length === 0 ? wrong : [...wrong, `it has no column ${missing.join(', ')}`];
}

function keptColumns({ table, extra = [] }: ContentOptions, there: readonly Column[]): ReadonlySet<string> {
  const day = dayColumn(table);
  return new Set([
    ...extra,
    ...table.sortBy,
    ...keyOf(table),
    ...(day === null ? [] : [day.of]),
    'account_id',
    ...derivable(there).flatMap((column) => [column.name, ...inputsOf(column)]),
  ]);
}

/** The columns that identify a row; for a table that is never merged, those of its order. */
function keyOf(table: Table): readonly string[] {
  return table.merge.kind === 'append' ? table.sortBy : table.merge.key;
}

/** The derived columns whose inputs are all there. */
function derivable(there: readonly Column[]): readonly Column[] {
  const names = new Set(there.map(({ name }) => name));
  return there.filter(
    (column) => column.origin.kind === 'derived' && inputsOf(column).every((name) => names.has(name)),
  );
}

const inputs = new WeakMap<Column, readonly string[]>();

/** The columns that a derived column is computed from: those that its function reads. A test holds it to that. */
export function inputsOf(column: Column): readonly string[] {
  const known = inputs.get(column);
  if (known !== undefined) return known;
  const read = new Set<string>();
  const row = new Proxy<Record<string, Value>>(
    {},
    {
      get: (_, name) => {
        read.add(String(name));
        return null;
      },
    },
  );
  if (column.origin.kind === 'derived') column.origin.from(row);
  const names = [...read];
  inputs.set(column, names);
  return names;
}

function wrongDerived(column: Column, rows: readonly Row[]): string | null {
  if (column.origin.kind !== 'derived') return null;
  for (const row of rows) {
    const right = column.origin.from(row);
    const found = row[column.name] ?? null;
    if (found !== right)
      return `${column.name} is ${String(found)} in a row whose other columns give ${String(right)}`;
  }
  return null;
}

/** The checks that see rows in their order, across row groups. Null ends them. */
function rowChecks(
  { table, place, buckets }: ContentOptions,
  note: (kind: FindingKind, what: string | null) => void,
): (rows: readonly Row[] | null) => void {
  const order = byColumns(table.sortBy);
  const key = keyOf(table);
  const keys = new Set<string>();
  const accounts = new Set<string | null>();
  const day = dayColumn(table);
  let [first, last, without]: [number | null, number | null, number] = [null, null, 0];
  let [previous, count, doubled]: [Row | null, number, string | null] = [null, 0, null];
  let doubles = 0;
  return (rows) => {
    for (const row of rows ?? []) {
      count += 1;
      if (previous !== null && order(previous, row) > 0) {
        note(
          'rows-unsorted',
          `row ${count} comes before row ${count - 1} in the order of ${table.sortBy.join(', ')}`,
        );
      }
      previous = row;
      const name = JSON.stringify(key.map((one) => row[one] ?? null));
      if (keys.has(name)) {
        doubles += 1;
        doubled ??= name;
      }
      keys.add(name);
      accounts.add(typeof row.account_id === 'string' ? row.account_id : null);
      const time = day === null ? null : row[day.of];
      if (typeof time !== 'number') without += 1;
      else {
        if (first === null || compareValues(time, first) < 0) first = time;
        if (last === null || compareValues(time, last) > 0) last = time;
      }
    }
    if (rows !== null) return;
    if (doubled !== null) {
      note(
        'rows-doubled',
        `${doubles === 1 ? 'one row is' : `${doubles} rows are`} there again: ${key.join(', ')} = ${doubled}`,
      );
    }
    note('rows-of-another-partition', outsideDay(table, place.day, { first, last, without }));
    if (place.bucket !== null) {
      note('rows-of-another-bucket', outsideBucket(accounts, { bucket: place.bucket, buckets }));
    }
  };
}
