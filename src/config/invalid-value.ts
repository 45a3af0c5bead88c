/** A value that cannot be used: what is wrong with it (no full stop), and what to write instead. */
export class InvalidValue extends Error {
  readonly reason: string;
  readonly advice: string;
  /** Of a list: the item that cannot be used. Null: the whole value. */
  readonly item: string | null;

  constructor(reason: string, advice: string, item: string | null = null) {
    super(`${reason}. ${advice}`);
    this.name = 'InvalidValue';
    this.reason = reason;
    this.advice = advice;
    this.item = item;
  }
}

/** Turns one word into a value. `cwd` is where relative folders begin. */
export type ParseWord<T> = (word: string, cwd: string) => T;

/** Each item of a list as a value; the error names the first one that cannot be used. */
export function eachItem<T>(words: readonly string[], parse: ParseWord<T>, cwd: string): readonly T[] {
  return words.map((word) => {
    try {
      return parse(word, cwd);
    } catch (error) {
      if (!(error instanceof InvalidValue)) throw error;
      throw new InvalidValue(error.reason, error.advice, word);
    }
  });
}
