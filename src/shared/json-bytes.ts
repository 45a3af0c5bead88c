/**
 * Reads JSON (RFC 8259) where it stands, in the bytes of a response: what ends where, and what a value says. It accepts what
 * JSON.parse accepts, except values that are nested deeper than anybody's. The bytes must be UTF-8.
 */

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const minus = 0x2d;
const plus = 0x2b;
const point = 0x2e;
const zero = 0x30;
const nine = 0x39;
/** With this bit set, a letter is a small one. */
const smallBit = 0x20;

/** No record of AWS is nested deeper than three. */
const deepest = 100;

/** The first byte from here on that is not white space. */
export function afterSpace(bytes: Buffer, at: number): number {
  let next = at;
  for (;;) {
    const byte = bytes[next];
    if (byte === undefined || byte > 0x20) return next;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return next;
    next += 1;
  }
}

/**
 * Where the text ends that begins here with its quotation mark. Negative: there, and it has escapes. 0: this is no text.
 */
export function textEnd(bytes: Buffer, at: number): number {
  return bytes[at] === quote ? textEndFrom(bytes, at + 1) : 0;
}

/** @param at within the text, with nothing special before it */
function textEndFrom(bytes: Buffer, at: number): number {
  const { length } = bytes;
  for (let next = at; next < length; next += 1) {
    const byte = bytes[next] ?? 0;
    if (byte === quote) return next + 1;
    if (byte === backslash) return -escapedEnd(bytes, next);
    if (byte < 0x20) return 0;
  }
  return 0;
}

/** The same, in less time for a text of many bytes. @param view the same bytes */
export function textEndByWords(bytes: Buffer, view: DataView, at: number): number {
  return bytes[at] === quote ? textEndFrom(bytes, plainEnd(view, at + 1)) : 0;
}

/**
 * Where the next four bytes begin of which one is a quotation mark, a backslash or a control character, or the last bytes, if
 * fewer than four are left. Four at a time, as a number: a byte is zero if taking one from it borrows (the test for a zero byte
 * in S. E. Anderson, Bit Twiddling Hacks).
 */
function plainEnd(view: DataView, at: number): number {
  const last = view.byteLength - 4;
  let next = at;
  for (; next <= last; next += 4) {
    const word = view.getInt32(next, true);
    const quotes = word ^ 0x22222222;
    const slashes = word ^ 0x5c5c5c5c;
    const special =
      ((quotes - 0x01010101) & ~quotes) | ((slashes - 0x01010101) & ~slashes) | ((word - 0x20202020) & ~word);
    if ((special & 0x80808080) !== 0) break;
  }
  return next;
}

/** From the first escape on. */
function escapedEnd(bytes: Buffer, at: number): number {
  const { length } = bytes;
  for (let next = at; next < length; next += 1) {
    const byte = bytes[next] ?? 0;
    if (byte === quote) return next + 1;
    if (byte < 0x20) return 0;
    if (byte !== backslash) continue;
    next += 1;
    const kind = bytes[next] ?? 0;
    if (kind === 0x75) {
      for (let digit = 0; digit < 4; digit += 1) {
        next += 1;
        if (!isHexDigit(bytes[next] ?? 0)) return 0;
      }
    } else if (!simpleEscapes.has(kind)) return 0;
  }
  return 0;
}

const simpleEscapes: ReadonlySet<number> = new Set(Buffer.from('"\\/bfnrt'));

function isHexDigit(byte: number): boolean {
  return isDigit(byte) || ((byte | smallBit) >= 0x61 && (byte | smallBit) <= 0x66);
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= nine;
}

/** Where the number ends that begins here. 0: this is no number. */
export function numberEnd(bytes: Buffer, at: number): number {
  const begin = bytes[at] === minus ? at + 1 : at;
  let next = bytes[begin] === zero ? begin + 1 : digitsEnd(bytes, begin);
  if (next === 0) return 0;
  if (bytes[next] === point) {
    next = digitsEnd(bytes, next + 1);
    if (next === 0) return 0;
  }
  if (((bytes[next] ?? 0) | smallBit) !== 0x65) return next;
  const sign = bytes[next + 1];
  return digitsEnd(bytes, sign === plus || sign === minus ? next + 2 : next + 1);
}

/** 0: there is no digit. */
function digitsEnd(bytes: Buffer, at: number): number {
  let next = at;
  while (isDigit(bytes[next] ?? 0)) next += 1;
  return next === at ? 0 : next;
}

const literals = new Map(['true', 'false', 'null'].map((text) => [text.charCodeAt(0), Buffer.from(text)]));

/** Where the value ends that begins here. 0: this is no value, or it is nested too deep. */
export function valueEnd(bytes: Buffer, at: number, depth = 0): number {
  const byte = bytes[at] ?? 0;
  if (byte === quote) return Math.abs(textEnd(bytes, at));
  if (byte === openBrace || byte === openBracket) {
    return depth === deepest ? 0 : membersEnd(bytes, at, byte === openBrace, depth + 1);
  }
  const literal = literals.get(byte);
  if (literal === undefined) return numberEnd(bytes, at);
  return startsWith(bytes, at, literal) ? at + literal.length : 0;
}

function membersEnd(bytes: Buffer, at: number, isObject: boolean, depth: number): number {
  const close = isObject ? closeBrace : closeBracket;
  let next = afterSpace(bytes, at + 1);
  if (bytes[next] === close) return next + 1;
  for (;;) {
    if (isObject) next = valueBegin(bytes, Math.abs(textEnd(bytes, next)));
    const end = next === 0 ? 0 : valueEnd(bytes, next, depth);
    if (end === 0) return 0;
    next = afterSpace(bytes, end);
    const byte = bytes[next];
    if (byte === close) return next + 1;
    if (byte !== comma) return 0;
    next = afterSpace(bytes, next + 1);
  }
}

/** Where the value begins after a name that ends here. 0: no colon follows, or there is no name. */
export function valueBegin(bytes: Buffer, nameEnd: number): number {
  if (nameEnd === 0) return 0;
  const at = afterSpace(bytes, nameEnd);
  return bytes[at] === colon ? afterSpace(bytes, at + 1) : 0;
}

function startsWith(bytes: Buffer, at: number, begin: Buffer): boolean {
  const { length } = begin;
  if (at + length > bytes.length) return false;
  for (let next = 0; next < length; next += 1) if (bytes[at + next] !== begin[next]) return false;
  return true;
}

const wordBytes = 8;

/** A text to be compared with, eight bytes at a time, as numbers: that takes less time than byte by byte. */
export interface Words {
  /** In bytes. */
  readonly length: number;
  /** Little-endian. The last one ends where the text ends, so it may repeat bytes of the one before. */
  readonly words: Float64Array;
}

/**
 * @param text ASCII without a byte of zero: so none of its words is 0, -0 or NaN. A text of less than eight bytes is never
 *   found (`startsWithWords`): whoever looks for it has to find it another way
 */
export function wordsOf(text: Buffer): Words {
  const { length } = text;
  if (length < wordBytes) return { length: wordBytes, words: Float64Array.of(Number.NaN) };
  const begins = Array.from({ length: Math.ceil(length / wordBytes) }, (_, word) =>
    Math.min(word * wordBytes, length - wordBytes),
  );
  return { length, words: Float64Array.from(begins, (begin) => text.readDoubleLE(begin)) };
}

export function startsWithWords(view: DataView, at: number, { length, words }: Words): boolean {
  if (at + length > view.byteLength) return false;
  const last = words.length - 1;
  for (let word = 0; word < last; word += 1) {
    if (view.getFloat64(at + word * wordBytes, true) !== words[word]) return false;
  }
  return view.getFloat64(at + length - wordBytes, true) === words[last];
}

export function isSameSpan(bytes: Buffer, at: number, other: number, length: number): boolean {
  for (let next = 0; next < length; next += 1) if (bytes[at + next] !== bytes[other + next]) return false;
  return true;
}

/** The text from one quotation mark to the other. @param end as `textEnd` says it */
export function textIn(bytes: Buffer, begin: number, end: number): string {
  // Safe: JSON of a text.
  if (end < 0) return JSON.parse(bytes.toString('utf8', begin, -end)) as string;
  return bytes.toString('utf8', begin + 1, end - 1);
}

/** Up to so many digits are an exact number. */
const exactDigits = 15;

/** Powers of ten up to this one are exact numbers. */
const exactPowers = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));

/**
 * The number in these bytes, as JSON.parse makes it. With few digits, the digits and the power of ten are exact, so one
 * multiplication or division rounds right (W. D. Clinger, How to read floating point numbers accurately, 1990).
 */
export function numberIn(bytes: Buffer, begin: number, end: number): number {
  let at = begin;
  const isNegative = bytes[at] === minus;
  if (isNegative) at += 1;
  let [digits, count, fraction, power] = [0, 0, 0, 0];
  for (; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === point) {
      fraction = 1;
      continue;
    }
    if (!isDigit(byte)) break;
    digits = digits * 10 + (byte - zero);
    count += 1;
    if (fraction > 0) power -= 1;
  }
  if (at < end) power += exponentIn(bytes, at + 1, end);
  const exact = exactPowers[Math.abs(power)];
  if (count > exactDigits || exact === undefined) return Number(bytes.toString('latin1', begin, end));
  const value = power < 0 ? digits / exact : digits * exact;
  return isNegative ? -value : value;
}

function exponentIn(bytes: Buffer, begin: number, end: number): number {
  const sign = bytes[begin];
  let exponent = 0;
  for (let at = sign === plus || sign === minus ? begin + 1 : begin; at < end; at += 1) {
    exponent = exponent * 10 + ((bytes[at] ?? 0) - zero);
  }
  return sign === minus ? -exponent : exponent;
}
