export function countTests(text: string | null): {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Each failed test: its file, its name, and the beginning of its message. */
  readonly failures: readonly string[];
};
