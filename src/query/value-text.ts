/** Converts the engine's values to text and JSON: integers exactly, times as ISO 8601 in UTC. */
import {
  DuckDBArrayValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
} from '@duckdb/node-api';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

const numbers: ReadonlySet<DuckDBTypeId> = new Set([
  ...[DuckDBTypeId.TINYINT, DuckDBTypeId.SMALLINT, DuckDBTypeId.INTEGER, DuckDBTypeId.BIGINT],
  ...[DuckDBTypeId.UTINYINT, DuckDBTypeId.USMALLINT, DuckDBTypeId.UINTEGER, DuckDBTypeId.UBIGINT],
  ...[DuckDBTypeId.HUGEINT, DuckDBTypeId.UHUGEINT, DuckDBTypeId.BIGNUM],
  ...[DuckDBTypeId.FLOAT, DuckDBTypeId.DOUBLE, DuckDBTypeId.DECIMAL],
]);

export function isNumber(type: DuckDBType): boolean {
  return numbers.has(type.typeId);
}

/** A value as text; null stays null. A nested value becomes JSON. */
export function textOf(value: DuckDBValue): string | null {
  if (value === null) return null;
  const instant = instantOf(value);
  if (instant !== null) return instant;
  if (isNested(value)) return JSON.stringify(jsonOf(value));
  return String(value);
}

/** A time from {@link textOf}, to the minute: `2026-11-20 02:00Z`. It keeps its Z, so that nobody has to guess the zone. */
export function instantToMinute(instant: string): string {
  return instant.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?Z$/, '$1 $2Z');
}

/** Integers and decimals that a double would round become strings (RFC 7493, section 2.2). */
export function jsonOf(value: DuckDBValue): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return isSafe(value) ? Number(value) : String(value);
  if (value instanceof DuckDBDecimalValue) {
    return String(value.value).replace('-', '').length <= 15 ? Number(String(value)) : String(value);
  }
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(jsonOf);
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, inner]) => [name, jsonOf(inner)]));
  }
  if (value instanceof DuckDBMapValue) {
    return Object.fromEntries(
      value.entries.map(({ key, value: inner }) => [textOf(key) ?? '', jsonOf(inner)]),
    );
  }
  return instantOf(value) ?? String(value);
}

function isNested(value: DuckDBValue): boolean {
  return (
    value instanceof DuckDBListValue ||
    value instanceof DuckDBArrayValue ||
    value instanceof DuckDBStructValue ||
    value instanceof DuckDBMapValue
  );
}

function isSafe(value: bigint): boolean {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= -BigInt(Number.MAX_SAFE_INTEGER);
}

/** ISO 8601 in UTC, in milliseconds or finer if the value is; null if the value is not a time. */
function instantOf(value: DuckDBValue): string | null {
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) {
    return value.isFinite ? iso(value.micros * 1000n) : String(value);
  }
  if (value instanceof DuckDBTimestampMillisecondsValue) {
    return value.isFinite ? iso(value.millis * 1_000_000n) : String(value);
  }
  if (value instanceof DuckDBTimestampSecondsValue) {
    return value.isFinite ? iso(value.seconds * 1_000_000_000n) : String(value);
  }
  if (value instanceof DuckDBTimestampNanosecondsValue) {
    return value.isFinite ? iso(value.nanos) : String(value);
  }
  return null;
}

function iso(nanoseconds: bigint): string {
  const fraction = ((nanoseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const date = new Date(Number((nanoseconds - fraction) / 1_000_000n));
  if (Number.isNaN(date.getTime())) return `${nanoseconds / 1_000_000_000n} s after 1970`;
  const finer = String(fraction)
    .padStart(6, '0')
    .replace(/0{3}$|0{6}$/, '')
    .replace(/^000$/, '');
  return fraction === 0n ? date.toISOString() : date.toISOString().replace(/Z$/, `${finer}Z`);
}
