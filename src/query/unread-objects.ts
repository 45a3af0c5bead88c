/** What a report of a damaged lake had to do without. */
import { ReportedError } from '../shared/errors.ts';

/** An object of the lake, or a folder of objects (its key ends in `/`), that a report had to do without. */
export interface UnreadObject {
  readonly key: string;
  /** A clause or a sentence, without a full stop. */
  readonly why: string;
}

/** Each object is named once. */
export class UnreadObjects {
  readonly #why = new Map<string, string>();

  add(key: string, error: unknown): void {
    if (!this.#why.has(key)) this.#why.set(key, typeof error === 'string' ? error : reasonOf(key, error));
  }

  /** Sorted by key. */
  get list(): readonly UnreadObject[] {
    return [...this.#why].map(([key, why]) => ({ key, why })).sort((a, b) => (a.key < b.key ? -1 : 1));
  }
}

/** What DuckDB says about a file that was cut or is something else; it names a temporary file. */
const notParquet =
  /too small to be a Parquet file|No magic bytes found|Footer length error|TProtocolException/i;

/** The message without its advice, and without the key, which stands beside it. */
function reasonOf(key: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const what = error instanceof ReportedError ? message.slice(0, -`. ${error.advice}`.length) : message;
  const [first = what] = what.split('\n');
  if (notParquet.test(first)) return 'it is not a complete Parquet file';
  const [, clause = first] =
    /^(?:The part )?\S+ (?:in .*? )?(?:is damaged|cannot be read): (.*)$/.exec(first) ?? [];
  return first.includes(key) ? clause : first;
}
