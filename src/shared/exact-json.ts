/** JSON whose integers are exact, however large. */

/** An integer that a JavaScript number cannot hold exactly, as its digits on the wire. */
export class UnsafeInteger {
  readonly digits: string;
  constructor(digits: string) {
    this.digits = digits;
  }
  /** The digits as they were: a rejected record is kept raw. */
  toJSON(): unknown {
    return JSON.rawJSON(this.digits);
  }
}

declare global {
  interface JSON {
    /** https://tc39.es/proposal-json-parse-with-source/; in Node since 22, in TypeScript's libraries not yet. */
    rawJSON(text: string): unknown;
  }
}

/** A number of 16 digits or more may stand behind a colon, a comma or a bracket: seen fast, seldom true. */
const maybeUnsafe = /[:,[]\s*-?\d{16}/;

/**
 * Parses JSON with integers as they were written: one beyond 2^53 − 1 becomes an UnsafeInteger.
 * @throws SyntaxError when the text is not JSON
 */
export function parseExactJson(text: string): unknown {
  // A reviver is called for every value and costs many times the parsing: only where it can matter.
  return maybeUnsafe.test(text) ? JSON.parse(text, exactInteger) : JSON.parse(text);
}

/** The third argument is the literal's own text (tc39.es/proposal-json-parse-with-source; Node 22 and later). */
function exactInteger(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const digits = context?.source;
  return digits !== undefined && /^-?\d+$/.test(digits) ? new UnsafeInteger(digits) : value;
}
