/** A record of a page, as the API listed it. */
import { isObject } from './record-values.ts';

export interface ListedRecord {
  /** Parsed JSON: times in epoch seconds; integers beyond 2^53 − 1 as UnsafeInteger. */
  readonly value: unknown;
  /** One field of the value, by its name; undefined: it has none, or it is null. Only this field is parsed if the record is plain. */
  field(name: string): unknown;
  /** The text of one field where it stands in the response; null: it is no text, is empty, has escapes, or the record was parsed. */
  textBytes?(name: string): TextBytes | null;
}

/** UTF-8, without quotation marks. */
export interface TextBytes {
  readonly bytes: Uint8Array;
  readonly begin: number;
  readonly end: number;
}

/** Records in the order of their page. An array is one too. */
export interface ListedRecords extends Iterable<ListedRecord> {
  readonly length: number;
  /** @param place from 0 */
  at(place: number): ListedRecord | undefined;
  /** Asks once for each record, in order. */
  filter(keep: (record: ListedRecord) => boolean): ListedRecords;
  map<Made>(make: (record: ListedRecord) => Made): Made[];
}

/** A record that was parsed together with its page. */
export function parsedRecord(value: unknown): ListedRecord {
  return {
    value,
    field: (name) => (isObject(value) && Object.hasOwn(value, name) ? (value[name] ?? undefined) : undefined),
  };
}
