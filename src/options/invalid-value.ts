/** A value that cannot be used: what is wrong with it (no full stop), and what to write instead. */
export class InvalidValue extends Error {
  readonly reason: string;
  readonly advice: string;

  constructor(reason: string, advice: string) {
    super(`${reason}. ${advice}`);
    this.name = 'InvalidValue';
    this.reason = reason;
    this.advice = advice;
  }
}

/** Turns one word into a value. `cwd` is where relative folders begin. */
export type ParseWord<T> = (word: string, cwd: string) => T;
