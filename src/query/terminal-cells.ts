/** A value of an answer as a person at a terminal reads it: in one line, with its unit, no more exact than is read. */

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

/** Of a longer text, the middle is left out before it is measured: it would not be shown. */
const longest = 480;

const instants: ReadonlySet<DuckDBTypeId> = new Set([
  ...[DuckDBTypeId.TIMESTAMP, DuckDBTypeId.TIMESTAMP_TZ, DuckDBTypeId.TIMESTAMP_S],
  ...[DuckDBTypeId.TIMESTAMP_MS, DuckDBTypeId.TIMESTAMP_NS],
]);

export function isInstant(type: DuckDBType): boolean {
  return instants.has(type.typeId);
}

/** Milliseconds in the unit that a column's name ends or begins with: `rpo_hours`, `hours_taken`, `duration_ms`. */
const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  seconds: 1000,
  minutes: 60_000,
  hours: 3_600_000,
  days: dayMs,
};

/** What the numbers of a column are, by its name; a column of another name holds plain numbers. */
export function numberForm(name: string): (value: number) => string {
  const words = name.toLowerCase().split('_');
  if (words.at(-1) === 'bytes') return size;
  const unit = unitsMs[words.at(-1) ?? ''] ?? unitsMs[words[0] ?? ''];
  // -1 days is AWS's word for something else, not a span of time.
  return unit === undefined ? String : (value) => (value < 0 ? String(value) : age(value * unit));
}

/** One line of text, without what a terminal obeys; '' where there is no value. */
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
  // A pair of surrogates may be cut.
  return printable(`${text.slice(0, longest / 2)}…${text.slice(-longest / 2)}`.toWellFormed());
}

/**
 * A text in at most `width` columns of the terminal, cut in its middle: ids, names and messages differ at their ends.
 * An ARN loses its first words, then all between its service and the end of its resource.
 */
export function shortened(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  const [start = '', service = ''] = /^arn:[\w-]+:(?=([\w-]+):)/.exec(text) ?? [];
  if (service === '' || width < service.length + 8) return cliTruncate(text, width, { position: 'middle' });
  const rest = text.slice(start.length);
  if (stringWidth(rest) < width) return `…${rest}`;
  const end = rest.slice(service.length + 1);
  const room = width - service.length;
  // With its colon where only that is too much: else nothing would be cut, and no mark would stand where words are left out.
  const cut = stringWidth(end) < room ? `…${end}` : cliTruncate(`:${end}`, room, { position: 'start' });
  return service + cut;
}
