/**
 * How long a list of copy jobs is, guessed from its first pages: whether to read it in pieces has to be decided before its end
 * is seen. AWS does not document the order of a list. So what is read does not depend on the guess, only how many requests it
 * takes, and how long. It assumes that jobs come in the order of their creation, from either end, at about the same rate in the
 * whole window. At most 28 pages are read before a list is cut.
 */
import type { Window } from './source.ts';
import { beginOf } from './window.ts';

/** Fewer pages are not worth a guess. */
const leastPages = 4;

/** A list that goes on for so many pages after its end was expected has another order, or another rate. */
const mostUnexpected = 8;

export class ListLength {
  readonly #window: Window;
  readonly #memoryMs: number;
  readonly #pieceCount: number;
  #oldest = Number.POSITIVE_INFINITY;
  #newest = Number.NEGATIVE_INFINITY;
  #pages = 0;
  /** In pages. Null: not guessed yet. */
  #expected: number | null = null;

  /** @param memoryMs how far back AWS may remember; @param pieceCount into how many pieces the window would be cut */
  constructor(window: Window, memoryMs: number, pieceCount: number) {
    this.#window = window;
    this.#memoryMs = memoryMs;
    this.#pieceCount = pieceCount;
  }

  /** Takes note of a record's creation time. */
  note(created: number | null): void {
    if (created === null) return;
    if (created < this.#oldest) this.#oldest = created;
    if (created > this.#newest) this.#newest = created;
  }

  /**
   * Call it after each page that is followed by another. Whether the list is so long that it is better read in pieces: they
   * list what the pages until now have shown a second time, and on average half a page more each.
   */
  isLong(): boolean {
    this.#pages += 1;
    if (this.#pages < leastPages) return false;
    const left = this.#left();
    this.#expected ??= this.#pages + left;
    return left >= 2 * (this.#pages + this.#pieceCount / 2) || this.#pages >= this.#expected + mostUnexpected;
  }

  /** Pages. */
  #left(): number {
    const seen = this.#newest - this.#oldest;
    if (!(seen > 0)) return Number.POSITIVE_INFINITY;
    const whole = this.#window.to - beginOf(this.#window, this.#memoryMs);
    return Math.max(0, (this.#pages * (whole - seen)) / seen);
  }
}
