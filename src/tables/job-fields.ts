/** The fields of a copy job's record, with the bytes of their names: how the scan of a page recognizes them. */
import { type Words, wordsOf } from '../shared/json-bytes.ts';
import { copyJobs } from './copy-jobs.ts';
import { type RecordField, recordFields } from './record-fields.ts';
import type { Column } from './table.ts';

/** A field that stands in a scanned record with its value: its number is its place here. */
export interface JobField {
  /** As in the column's definition, such as `CreatedBy.BackupPlanId`. */
  readonly path: string;
  readonly column: Column;
  /** The states of a map of counts that have a column; null: this is no such map. */
  readonly counts: ReadonlyMap<string, Column> | null;
}

/** A field of an object, as a scan looks for it. */
export interface NamedField {
  /** The name in its quotation marks, and the colon after it. A very short name is not found by it, only by `placeOf`. */
  readonly named: Words;
  readonly accepts: 'text' | 'number' | 'boolean' | 'counts' | 'group';
  /** Of the JobField; -1: a group has none. */
  readonly number: number;
  readonly group: FieldGroup | null;
}

export interface FieldGroup {
  readonly fields: readonly NamedField[];
  readonly placeOf: ReadonlyMap<string, number>;
  /**
   * Two places that are expected after a place, because they were found there, the last one first: records of a page have their
   * fields in the same order, but lack some. Until then, as the columns stand.
   */
  readonly placesAfter: Int32Array;
  /** In which object each place was found last, and the number of this object: so a name that comes twice is found. */
  readonly foundIn: Float64Array;
  object: number;
}

/** Whoever drains a target looks at these fields of every record. They have the first numbers, in this order. */
export const drainFields = ['CopyJobId', 'CreationDate', 'ParentJobId', 'NumberOfChildJobs', 'IsParent'];

/** Each drain field has its place already. */
const numbered: JobField[] = new Array(drainFields.length);

/** All fields with values, by number. */
export const jobFields: readonly JobField[] = numbered;

/** The fields of a whole record. */
export const jobRecord: FieldGroup = groupOf(
  [...recordFields(copyJobs.columns)].map(([name, field]) => [name, namedField(name, field)]),
);

function groupOf(fields: readonly (readonly [string, NamedField])[]): FieldGroup {
  return {
    fields: fields.map(([, field]) => field),
    placeOf: new Map(fields.map(([name], place) => [name, place])),
    // Place + 1, so that the first field has one before it.
    placesAfter: Int32Array.from({ length: (fields.length + 1) * 2 }, (_, at) => (at >> 1) % fields.length),
    foundIn: new Float64Array(fields.length),
    object: 0,
  };
}

function namedField(name: string, field: RecordField): NamedField {
  const named = wordsOf(Buffer.from(`${JSON.stringify(name)}:`));
  switch (field.kind) {
    case 'value': {
      const number = numberOf({ path: name, column: field.column, counts: null });
      return { named, accepts: acceptedBy(field.column), number, group: null };
    }
    case 'counts': {
      const number = numberOf({ path: name, column: field.column, counts: field.fields });
      return { named, accepts: 'counts', number, group: null };
    }
    case 'group': {
      const inner = [...field.fields].map(([innerName, column]) => {
        const number = numberOf({ path: `${name}.${innerName}`, column, counts: null });
        const innerField: NamedField = {
          named: wordsOf(Buffer.from(`${JSON.stringify(innerName)}:`)),
          accepts: acceptedBy(column),
          number,
          group: null,
        };
        return [innerName, innerField] as const;
      });
      return { named, accepts: 'group', number: -1, group: groupOf(inner) };
    }
  }
}

function acceptedBy({ type }: Column): NamedField['accepts'] {
  return type === 'bigint' || type === 'timestamp' ? 'number' : type;
}

function numberOf(field: JobField): number {
  const first = drainFields.indexOf(field.path);
  if (first < 0) return numbered.push(field) - 1;
  numbered[first] = field;
  return first;
}
