import type { Progress } from '../../src/telemetry/progress.ts';

/** Shows nothing. */
export const silentProgress: Progress = {
  phase: () => undefined,
  drainStarted: () => undefined,
  drainBegan: () => undefined,
  page: () => undefined,
  throttled: () => undefined,
  drained: () => undefined,
  publishStarted: () => undefined,
  publishing: () => () => undefined,
  published: () => undefined,
  checked: () => undefined,
  stop: () => undefined,
};
