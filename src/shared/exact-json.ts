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

/**
 * Parses JSON. An integer beyond 2^53 − 1 becomes an UnsafeInteger.
 * @throws SyntaxError when the text is not JSON
 */
export function parseExactJson(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  // A reviver is called for every value and makes parsing many times slower. A rounded integer shows in the value: the
  // nearest number to an integer beyond 2^53 − 1 is 2^53 or beyond.
  return isExact(parsed) ? parsed : JSON.parse(text, exactInteger);
}

/** Whether no number in the value can be a rounded integer. */
function isExact(value: unknown): boolean {
  // A list of what is left, in place of recursion: a text may be nested deeper than the stack is.
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next === 'number') {
      if (Math.abs(next) > Number.MAX_SAFE_INTEGER) return false;
    } else if (Array.isArray(next)) {
      for (const item of next) if (typeof item !== 'string') left.push(item);
    } else if (typeof next === 'object' && next !== null) {
      // Safe: an object that JSON.parse made. All its properties are its own, so `for in` finds them without a list.
      const object = next as Readonly<Record<string, unknown>>;
      for (const name in object) {
        const property = object[name];
        if (typeof property === 'number') {
          if (Math.abs(property) > Number.MAX_SAFE_INTEGER) return false;
        } else if (typeof property === 'object' && property !== null) left.push(property);
      }
    }
  }
  return true;
}

/** The third argument holds the text of the literal (tc39.es/proposal-json-parse-with-source; Node 22 and later). */
function exactInteger(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const digits = context?.source;
  return digits !== undefined && /^-?\d+$/.test(digits) ? new UnsafeInteger(digits) : value;
}
