/** Helpers to define the columns of a table. */
import type { Column, ColumnOrigin, ColumnType } from './table.ts';

type Details = Pick<Column, 'unit' | 'freeText'>;

/** A column that comes from a field of the record. The field keeps its literal type, so that the compiler finds missing ones. */
export function api<const Field extends string>(
  name: string,
  type: ColumnType,
  field: Field,
  description: string,
  example: string,
  details: Details = {},
) {
  return { name, type, description, example, ...details, origin: { kind: 'api', field } } as const;
}

/** Any other column. */
export function column(
  origin: ColumnOrigin,
  name: string,
  type: ColumnType,
  description: string,
  example: string,
  details: Details = {},
) {
  return { name, type, description, example, ...details, origin } as const;
}

export const provenance = { kind: 'provenance' } as const;
/** For columns that may contain any Unicode. */
export const free = { freeText: true } as const;
