/** An unusable value: the reason (a clause without a full stop), and what to write instead. */
export class InvalidValue extends Error {
  readonly reason: string;
  readonly advice: string;
  /** In a list, the item that is wrong; null if the whole value is. */
  readonly item: string | null;

  constructor(reason: string, advice: string, item: string | null = null) {
    super(`${reason}. ${advice}`);
    this.name = 'InvalidValue';
    this.reason = reason;
    this.advice = advice;
    this.item = item;
  }
}

/** Parses one text into a value; relative paths start at `cwd`. */
export type ParseText<T> = (text: string, cwd: string) => T;

/** Parses each item of a list; the error names the first item that is wrong. */
export function eachItem<T>(texts: readonly string[], parse: ParseText<T>, cwd: string): readonly T[] {
  return texts.map((text) => {
    try {
      return parse(text, cwd);
    } catch (error) {
      if (!(error instanceof InvalidValue)) throw error;
      throw new InvalidValue(error.reason, error.advice, text);
    }
  });
}
