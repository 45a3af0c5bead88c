/**
 * Converts the fields of a raw record (parsed JSON) to the values of a row. If a field does not fit its column's type,
 * the record is rejected; values are never guessed.
 */
import { UnsafeInteger } from '../shared/exact-json.ts';
import { isJsonObject } from '../shared/json-object.ts';
import type { Column, Row, Value } from './table.ts';

/** Fields that are maps of counts with any keys. They are kept whole. */
export const countMaps: ReadonlySet<string> = new Set(['ChildJobsInState']);

/** Why a record cannot become a row. The table's own function catches it; no other code sees it. */
export class InvalidRecord extends Error {}

/** The range of a partition's `yyyy-MM-dd`: years 1 to 9999. */
const firstInstant = Date.parse('0001-01-01T00:00:00.000Z');
const lastInstant = Date.parse('9999-12-31T23:59:59.999Z');

/** An integer that JavaScript cannot hold is an object in JavaScript only. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return isJsonObject(value) && !(value instanceof UnsafeInteger);
}

/** The value at a dotted path such as `CreatedBy.BackupPlanId`; undefined if any step is missing or null. */
function valueAt(record: Readonly<Record<string, unknown>>, path: string): unknown {
  let value: unknown = record;
  let walked = '';
  for (const step of path.split('.')) {
    if (value === undefined || value === null) return undefined;
    if (!isObject(value)) throw new InvalidRecord(`${walked} is not an object`);
    value = Object.hasOwn(value, step) ? value[step] : undefined;
    walked = walked === '' ? step : `${walked}.${step}`;
  }
  return value ?? undefined;
}

/** An integer that a JavaScript number represents exactly. */
function exactInteger(value: unknown, field: string): number {
  if (value instanceof UnsafeInteger) {
    throw new InvalidRecord(`${field} is ${value.digits}, beyond the exact integers (2^53 - 1)`);
  }
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new InvalidRecord(`${field} is not an exact integer`);
  }
  return value === 0 ? 0 : value;
}

/**
 * Half a surrogate pair has no UTF-8 form, so no Parquet file can hold it. It becomes U+FFFD, and the caller also keeps
 * the raw record. In an identity column that could merge two rows into one, so the record is rejected instead.
 */
function text(value: unknown, field: string, reading: Reading, identity = false): string {
  if (typeof value !== 'string') throw new InvalidRecord(`${field} is not text`);
  if (value.isWellFormed()) return value;
  if (identity) throw new InvalidRecord(`${field} is not well-formed Unicode`);
  reading.onAltered(field);
  return value.toWellFormed();
}

/** How a table reads its records. */
export interface Reading {
  /** Columns that identify the row, or decide where it is stored. */
  readonly identity: ReadonlySet<string>;
  /** Called with each field whose text was changed. */
  readonly onAltered: (field: string) => void;
}

/** Converts epoch seconds with a fraction, as in AWS Backup's JSON, to whole milliseconds. */
function instant(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new InvalidRecord(`${field} is not a time in epoch seconds`);
  }
  const epochMs = instantOf(value);
  if (epochMs === null) throw new InvalidRecord(`${field} lies outside the years 1 to 9999`);
  return epochMs;
}

/** The same; null: no column can hold it. */
export function instantOf(value: unknown): number | null {
  if (typeof value !== 'number') return null;
  const epochMs = Math.round(value * 1000);
  if (!(epochMs >= firstInstant && epochMs <= lastInstant)) return null;
  return epochMs === 0 ? 0 : epochMs;
}

function converted(value: unknown, column: Column, field: string, reading: Reading): Value {
  switch (column.type) {
    case 'text':
      return text(value, field, reading, reading.identity.has(column.name));
    case 'bigint':
      return exactInteger(value, field);
    case 'timestamp':
      return instant(value, field);
    case 'boolean':
      if (typeof value !== 'boolean') throw new InvalidRecord(`${field} is neither true nor false`);
      return value;
  }
}

/** The values of all `api` columns; null for missing fields. @throws InvalidRecord */
export function apiValues(
  record: Readonly<Record<string, unknown>>,
  columns: readonly Column[],
  reading: Reading,
): Record<string, Value> {
  const row: Record<string, Value> = {};
  for (const column of columns) {
    if (column.origin.kind !== 'api') continue;
    const { field } = column.origin;
    const value = valueAt(record, field);
    if (value === undefined) row[column.name] = null;
    else if (countMaps.has(field) && isObject(value)) row[column.name] = sortedCounts(value, field, reading);
    else row[column.name] = converted(value, column, field, reading);
  }
  return row;
}

/** A map of counts as JSON with sorted keys, so that equal maps become equal texts. */
function sortedCounts(map: Readonly<Record<string, unknown>>, field: string, reading: Reading): string {
  const entries = Object.entries(map)
    .filter(([, count]) => count !== null)
    .map(([state, count]) => [text(state, field, reading), exactInteger(count, `${field}.${state}`)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (new Set(entries.map(([state]) => state)).size < entries.length) {
    throw new InvalidRecord(
      `${field} has states that are not well-formed Unicode and become the same when that is repaired`,
    );
  }
  return JSON.stringify(Object.fromEntries(entries));
}

/** The same; null: a state or a count cannot be taken as it is. */
export function sortedCountsOrNull(map: Readonly<Record<string, unknown>>): string | null {
  let isAltered = false;
  const onAltered = () => {
    isAltered = true;
  };
  try {
    const sorted = sortedCounts(map, '', { identity: new Set(), onAltered });
    return isAltered ? null : sorted;
  } catch (error) {
    if (error instanceof InvalidRecord) return null;
    throw error;
  }
}

/** Dotted names of the record's fields that have no column. */
export function unknownFields(
  record: Readonly<Record<string, unknown>>,
  columns: readonly Column[],
): readonly string[] {
  const known = knownFields(columns);
  return fieldNames(record).filter((name) => !known.has(name));
}

const knownFieldsOf = new WeakMap<readonly Column[], ReadonlySet<string>>();

function knownFields(columns: readonly Column[]): ReadonlySet<string> {
  let known = knownFieldsOf.get(columns);
  if (known === undefined) {
    // A group, such as CreatedBy, stands by its own name only where it is null: as missing as its fields then are.
    known = new Set(
      columns.flatMap(({ origin }) => (origin.kind === 'api' ? [origin.field, groupOf(origin.field)] : [])),
    );
    knownFieldsOf.set(columns, known);
  }
  return known;
}

/** `CreatedBy` of `CreatedBy.BackupPlanId`; a field that is in no group: its own name. */
function groupOf(field: string): string {
  return field.split('.', 1)[0] ?? field;
}

function fieldNames(record: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(record).flatMap(([name, value]) =>
    isObject(value) && !countMaps.has(name) ? Object.keys(value).map((inner) => `${name}.${inner}`) : [name],
  );
}

/** A value that must be neither missing nor empty. */
export function required(row: Row, column: string, field: string): NonNullable<Value> {
  const value = row[column];
  if (value === null || value === undefined || value === '') throw new InvalidRecord(`${field} is missing`);
  return value;
}
