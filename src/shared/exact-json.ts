/** Parses JSON without rounding large integers. */

/** An integer that a JavaScript number cannot represent exactly. It keeps the digits from the JSON text. */
export class UnsafeInteger {
  readonly digits: string;
  constructor(digits: string) {
    this.digits = digits;
  }
  /** Writes the same digits again, because a rejected record is kept raw. */
  toJSON(): unknown {
    return JSON.rawJSON(this.digits);
  }
}

declare global {
  interface JSON {
    /** https://tc39.es/proposal-json-parse-with-source/. Node has it since version 22; TypeScript's libraries do not yet. */
    rawJSON(text: string): unknown;
  }
}

/** A quick test for a number of 16 digits or more. Few texts have one. */
const maybeUnsafe = /[:,[]\s*-?\d{16}/;

/**
 * Parses JSON. An integer beyond 2^53 − 1 becomes an UnsafeInteger.
 * @throws SyntaxError when the text is not JSON
 */
export function parseExactJson(text: string): unknown {
  // A reviver is called for every value and makes parsing many times slower, so it is used only if it can matter.
  return maybeUnsafe.test(text) ? JSON.parse(text, exactInteger) : JSON.parse(text);
}

/** The third argument holds the text of the literal (tc39.es/proposal-json-parse-with-source; Node 22 and later). */
function exactInteger(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const digits = context?.source;
  return digits !== undefined && /^-?\d+$/.test(digits) ? new UnsafeInteger(digits) : value;
}
