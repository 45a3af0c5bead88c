/**
 * What was made of two texts of a page: most records of a page have one of a few pairs, such as state and category. The
 * texts are compared where they stand, so none is made to look them up.
 */
import { isSameSpan } from '../shared/json-bytes.ts';

/** Where a text stands, as in ScannedPage; both 0: there is none. */
export interface TextAt {
  readonly begin: number;
  readonly end: number;
}

interface Remembered<T> {
  readonly first: TextAt;
  readonly second: TextAt;
  readonly made: T;
}

/** A page of other kinds of pairs makes them again and again: it must not take a long search each time. */
const most = 64;

export class RememberedTexts<T> {
  readonly #bytes: Buffer;
  readonly #remembered: Remembered<T>[] = [];
  #last: Remembered<T> | null = null;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get(begin: number, end: number, otherBegin: number, otherEnd: number): T | undefined {
    if (this.#last !== null && this.#isFor(this.#last, begin, end, otherBegin, otherEnd))
      return this.#last.made;
    for (const one of this.#remembered) {
      if (!this.#isFor(one, begin, end, otherBegin, otherEnd)) continue;
      this.#last = one;
      return one.made;
    }
    return undefined;
  }

  set(first: TextAt, second: TextAt, made: T): void {
    this.#last = { first, second, made };
    if (this.#remembered.length === most) this.#remembered.shift();
    this.#remembered.push(this.#last);
  }

  #isFor(
    { first, second }: Remembered<T>,
    begin: number,
    end: number,
    otherBegin: number,
    otherEnd: number,
  ): boolean {
    return this.#isSame(first, begin, end) && this.#isSame(second, otherBegin, otherEnd);
  }

  #isSame(one: TextAt, begin: number, end: number): boolean {
    const length = Math.abs(end) - begin;
    return Math.abs(one.end) - one.begin === length && isSameSpan(this.#bytes, one.begin, begin, length);
  }
}
