/** Writes JSON into bytes that are used again and again: no string is made for a line, a field or a name. */

/** A longer text is not written here. */
const longestText = 2 ** 20;

/** In JSON, a character takes at most six bytes (\u0000), and a text its quotation marks. */
const bytesOf = (text: string) => text.length * 6 + 2;

const quote = 0x22;
const backslash = 0x5c;
const minus = 0x2d;
const zero = 0x30;

/** The sign and the digits of an integer within 2^53. */
const mostDigits = 17;

export class LineWriter {
  #bytes: Buffer;
  #end = 0;
  readonly #smallest: number;

  /** @param smallest how many bytes it keeps when they are empty */
  constructor(smallest = 2 ** 20) {
    this.#smallest = smallest;
    this.#bytes = Buffer.allocUnsafeSlow(smallest);
  }

  /** How many bytes were written. */
  get length(): number {
    return this.#end;
  }

  /** Drops what was written after this length. */
  truncate(length: number): void {
    this.#end = length;
    if (length === 0 && this.#bytes.length > this.#smallest * 4)
      this.#bytes = Buffer.allocUnsafeSlow(this.#smallest);
  }

  copy(target: Uint8Array, at: number, from: number, to: number): void {
    this.#bytes.copy(target, at, from, to);
  }

  /** What was written from here to there, until more is written. */
  view(from: number, to: number): Buffer {
    return this.#bytes.subarray(from, to);
  }

  raw(bytes: Uint8Array): void {
    const length = bytes.length;
    const target = this.#room(length);
    let end = this.#end;
    // Names of columns are short: a loop takes less time than a call of `set`.
    for (let at = 0; at < length; at += 1) target[end++] = bytes[at] ?? 0;
    this.#end = end;
  }

  /** What stands in other bytes. */
  span(bytes: Buffer, from: number, to: number): void {
    const target = this.#room(to - from);
    let end = this.#end;
    for (let at = from; at < to; at += 1) target[end++] = bytes[at] ?? 0;
    this.#end = end;
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
      if (code < 0x20 || code > 0x7e || code === quote || code === backslash) return this.#unusual(value);
      target[end++] = code;
    }
    target[end++] = quote;
    this.#end = end;
    return true;
  }

  #unusual(value: string): boolean {
    if (!value.isWellFormed()) return false;
    this.#end += this.#bytes.write(JSON.stringify(value), this.#end, 'utf8');
    return true;
  }

  #room(length: number): Buffer {
    const needed = this.#end + length;
    if (needed <= this.#bytes.length) return this.#bytes;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
    return larger;
  }
}
