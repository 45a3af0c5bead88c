/** Writes staged lines (staged-line.ts) into bytes that are used again and again: no string is made for a line or a field. */
import { quoted } from './staged-line.ts';

/** A longer text is not written here. */
const longestText = 2 ** 20;

/** In UTF-8, a unit of UTF-16 takes at most three bytes, and a text its quotation marks. */
const bytesOf = (text: string) => text.length * 3 + 2;

const quote = 0x22;
const separator = 0x2c;
const minus = 0x2d;
const zero = 0x30;

/** The sign and the digits of an integer within 2^53. */
const mostDigits = 17;

const wordBytes = 8;

/** Bytes as `raw` and `span` take them. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export class LineWriter {
  #bytes: Buffer;
  /** The same bytes. */
  #view: DataView;
  #end = 0;
  readonly #smallest: number;

  /** @param smallest how many bytes it keeps when they are empty */
  constructor(smallest = 2 ** 20) {
    this.#smallest = smallest;
    this.#bytes = Buffer.allocUnsafeSlow(smallest);
    this.#view = viewOf(this.#bytes);
  }

  /** How many bytes were written. */
  get length(): number {
    return this.#end;
  }

  /** Drops what was written after this length. */
  truncate(length: number): void {
    this.#end = length;
    if (length === 0 && this.#bytes.length > this.#smallest * 4)
      this.#use(Buffer.allocUnsafeSlow(this.#smallest));
  }

  copy(target: Uint8Array, at: number, from: number, to: number): void {
    this.#bytes.copy(target, at, from, to);
  }

  /** What was written from here to there, until more is written. */
  view(from: number, to: number): Buffer {
    return this.#bytes.subarray(from, to);
  }

  /** All of these bytes. They must be UTF-8. */
  raw(bytes: DataView): void {
    this.span(bytes, 0, bytes.byteLength);
  }

  /**
   * What stands in other bytes, which must be UTF-8. Copied eight bytes at a time, as a number: the last number overlaps the one
   * before it. The bits stay, because no UTF-8 is a NaN: that takes a byte of F0 or more before one of 7F or FF.
   */
  span(bytes: DataView, from: number, to: number): void {
    const begin = this.#end;
    const end = begin + to - from;
    this.#room(to - from);
    this.#end = end;
    const target = this.#view;
    if (to - from < wordBytes) {
      for (let at = from; at < to; at += 1) target.setUint8(begin + at - from, bytes.getUint8(at));
      return;
    }
    const last = to - wordBytes;
    const shift = begin - from;
    for (let at = from; at < last; at += wordBytes) {
      target.setFloat64(at + shift, bytes.getFloat64(at, true), true);
    }
    target.setFloat64(last + shift, bytes.getFloat64(last, true), true);
  }

  /** What stands between two values. */
  separator(): void {
    this.#room(1)[this.#end++] = separator;
  }

  /** A safe integer. */
  integer(value: number): void {
    const target = this.#room(mostDigits);
    let left = Math.abs(value);
    if (value < 0) target[this.#end++] = minus;
    let digits = 1;
    for (let power = 10; power <= left; power *= 10) digits += 1;
    // From the last digit to the first: a text of the number takes twice the time.
    for (let at = this.#end + digits - 1; at >= this.#end; at -= 1) {
      const rest = Math.floor(left / 10);
      target[at] = zero + (left - rest * 10);
      left = rest;
    }
    this.#end += digits;
  }

  /** Writes nothing and returns false if the text is not well-formed Unicode, or very long. */
  text(value: string): boolean {
    const length = value.length;
    if (length > longestText) return false;
    const target = this.#room(bytesOf(value));
    let end = this.#end;
    target[end++] = quote;
    for (let at = 0; at < length; at += 1) {
      const code = value.charCodeAt(at);
      if (code > 0x7f || code === quote) return this.#unusual(value);
      target[end++] = code;
    }
    target[end++] = quote;
    this.#end = end;
    return true;
  }

  #unusual(value: string): boolean {
    if (!value.isWellFormed()) return false;
    this.#end += this.#bytes.write(quoted(value), this.#end, 'utf8');
    return true;
  }

  #use(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  #room(length: number): Buffer {
    const needed = this.#end + length;
    if (needed <= this.#bytes.length) return this.#bytes;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#use(larger);
    return larger;
  }
}
