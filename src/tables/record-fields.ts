/** The fields of a table's records by name, as a tree: what a record can contain, and which column takes it. */
import { countMaps } from './record-values.ts';
import type { Column } from './table.ts';

export type RecordField =
  | { readonly kind: 'value'; readonly column: Column }
  /** An object whose fields have columns, such as `CreatedBy`. */
  | { readonly kind: 'group'; readonly fields: ReadonlyMap<string, Column> }
  /** A map of counts: it has a column for the whole, and columns for some of its keys. */
  | { readonly kind: 'counts'; readonly column: Column; readonly fields: ReadonlyMap<string, Column> };

export function recordFields(columns: readonly Column[]): ReadonlyMap<string, RecordField> {
  const fields = new Map<string, RecordField>();
  const groups = new Map<string, Map<string, Column>>();
  const wholes = new Map<string, Column>();
  for (const column of columns) {
    if (column.origin.kind !== 'api') continue;
    const [name = '', inner] = column.origin.field.split('.');
    if (inner !== undefined) groups.set(name, (groups.get(name) ?? new Map()).set(inner, column));
    else if (countMaps.has(name)) wholes.set(name, column);
    else fields.set(name, { kind: 'value', column });
  }
  for (const [name, inner] of groups) {
    const whole = wholes.get(name);
    fields.set(
      name,
      whole === undefined
        ? { kind: 'group', fields: inner }
        : { kind: 'counts', column: whole, fields: inner },
    );
  }
  return fields;
}
