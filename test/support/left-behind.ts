/**
 * The test files of one worker share its modules and its globals: see the decision "One worker runs many test files". So a
 * file that leaves a change behind fails here, and not another file after it.
 */
import { afterAll, beforeAll, expect, vi } from 'vitest';

const sorted = (environment: NodeJS.ProcessEnv) => Object.entries(environment).sort();
let before: readonly (readonly [string, string | undefined])[];

beforeAll(() => {
  before = sorted(process.env);
});

afterAll(() => {
  expect(sorted(process.env), 'the environment of the process').toEqual(before);
  expect(vi.isFakeTimers(), 'fake timers').toBe(false);
  expect(vi.isMockFunction(Date.now), 'a clock that is a mock').toBe(false);
});
