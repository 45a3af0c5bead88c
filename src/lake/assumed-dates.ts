/**
 * The first creation dates of a page whose lines another thread writes. Only the main thread knows the dates of earlier
 * runs. So the other one assumes that each job has none, and the main thread looks whether that is so: it nearly always is.
 */
import { timeKey } from './compact-time-map.ts';
import type { CreationDates } from './creation-dates.ts';

export interface AssumedDates {
  /** For each line its bucket, and the three words of its id's key. */
  readonly keys: Uint32Array;
  /** For each line the creation date of the record, in milliseconds since the epoch. */
  readonly created: Float64Array;
}

const numbersPerKey = 4;

/** Takes the place of CreationDates while lines are written. */
export class DateAssumptions implements Pick<CreationDates, 'firstDate'> {
  readonly #keys: Uint32Array;
  readonly #created: Float64Array;
  #lines = 0;

  constructor(mostLines: number) {
    this.#keys = new Uint32Array(mostLines * numbersPerKey);
    this.#created = new Float64Array(mostLines);
  }

  get assumed(): AssumedDates {
    return {
      keys: this.#keys.subarray(0, this.#lines * numbersPerKey),
      created: this.#created.subarray(0, this.#lines),
    };
  }

  firstDate(bucket: number, id: string, created: number): number {
    const { high, middle, low } = timeKey(id);
    // What lies beyond an array is dropped without an error.
    if (this.#lines === this.#created.length) throw new RangeError('more lines than records');
    const at = this.#lines * numbersPerKey;
    this.#keys[at] = bucket;
    this.#keys[at + 1] = high;
    this.#keys[at + 2] = middle;
    this.#keys[at + 3] = low;
    this.#created[this.#lines] = created;
    this.#lines += 1;
    return created;
  }
}

/** Whether each job lies on the day that was assumed. */
export async function areFirstDates(
  { keys, created }: AssumedDates,
  creationDates: Pick<CreationDates, 'isFirstDate' | 'load'>,
): Promise<boolean> {
  for (let line = 0; line < created.length; line += 1) {
    const at = line * numbersPerKey;
    const bucket = keys[at] ?? 0;
    const key = { high: keys[at + 1] ?? 0, middle: keys[at + 2] ?? 0, low: keys[at + 3] ?? 0 };
    let isFirst = creationDates.isFirstDate(bucket, key, created[line] ?? 0);
    if (isFirst === null) {
      await creationDates.load(bucket);
      isFirst = creationDates.isFirstDate(bucket, key, created[line] ?? 0);
    }
    if (isFirst !== true) return false;
  }
  return true;
}
