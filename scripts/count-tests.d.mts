export function countTests(text: string | null): {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
};
