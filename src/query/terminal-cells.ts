/** Formats a result value for a table on a terminal: one line, with its unit, rounded for reading. */

import { type DuckDBType, DuckDBTypeId, type DuckDBValue } from '@duckdb/node-api';
import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import { dayMs } from '../shared/time.ts';
import { age, size } from '../telemetry/human-units.ts';
import { printable } from '../telemetry/printable.ts';
import { instantToMinute, isNumber, textOf } from './value-text.ts';

export interface ResultColumn {
  readonly name: string;
  readonly type: DuckDBType;
}

/** A longer text loses its middle before it is measured, because that part would not be shown anyway. */
const longest = 480;

const instants: ReadonlySet<DuckDBTypeId> = new Set([
  ...[DuckDBTypeId.TIMESTAMP, DuckDBTypeId.TIMESTAMP_TZ, DuckDBTypeId.TIMESTAMP_S],
  ...[DuckDBTypeId.TIMESTAMP_MS, DuckDBTypeId.TIMESTAMP_NS],
]);

export function isInstant(type: DuckDBType): boolean {
  return instants.has(type.typeId);
}

/** Milliseconds per unit that a column's name ends or begins with: `rpo_hours`, `hours_to_loss`, `duration_ms`. */
const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  seconds: 1000,
  minutes: 60_000,
  hours: 3_600_000,
  days: dayMs,
};

/** How to format the numbers of a column, by its name; other columns keep plain numbers. */
function numberForm(name: string): (value: number) => string {
  const words = name.toLowerCase().split('_');
  const [first = '', last = ''] = [words[0], words.at(-1)];
  if (first === 'bytes' || last === 'bytes') return size;
  const named = last in unitsMs ? last : first;
  const unit = unitsMs[named];
  if (unit === undefined) return String;
  // A negative number of days is a code of AWS's, not a duration.
  return (value) => (value < 0 && named === 'days' ? String(value) : age(value * unit));
}

/** One line of text without control characters; '' for null. */
export function cellOf(value: DuckDBValue, { name, type }: ResultColumn): string {
  const text = textOf(value);
  if (text === null) return '';
  if (isInstant(type)) return instantToMinute(text);
  if (isNumber(type)) {
    const form = numberForm(name);
    const number = Number(text);
    return form === String || !Number.isFinite(number) ? text : form(number);
  }
  if (text.length <= longest) return printable(text);
  // The cut may split a surrogate pair.
  return printable(`${text.slice(0, longest / 2)}…${text.slice(-longest / 2)}`.toWellFormed());
}

/**
 * Shortens text to at most `width` columns by cutting its middle, because ids, names and messages differ at their ends.
 * An ARN first loses `arn:aws:`, then everything between its service and the end of its resource.
 */
export function shortened(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  const [start = '', service = ''] = /^arn:[\w-]+:(?=([\w-]+):)/.exec(text) ?? [];
  if (service === '' || width < service.length + 8) return cliTruncate(text, width, { position: 'middle' });
  const rest = text.slice(start.length);
  if (stringWidth(rest) < width) return `…${rest}`;
  const end = rest.slice(service.length + 1);
  const room = width - service.length;
  // Exactly at the limit the colon is included, so that something is cut and the ellipsis appears.
  const cut = stringWidth(end) < room ? `…${end}` : cliTruncate(`:${end}`, room, { position: 'start' });
  return service + cut;
}
