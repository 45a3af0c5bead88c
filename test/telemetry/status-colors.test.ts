import { describe, expect, test } from 'vitest';
import { usesColor } from '../../src/telemetry/status-colors.ts';

describe('colours', () => {
  test.each([
    ['a terminal', true, {}, true],
    ['a pipe', false, {}, false],
    ['NO_COLOR', true, { NO_COLOR: '1' }, false],
    ['an empty NO_COLOR', true, { NO_COLOR: '' }, true],
    ['a terminal that has none', true, { TERM: 'dumb' }, false],
    ['FORCE_COLOR in a pipe', false, { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR=0', true, { FORCE_COLOR: '0' }, false],
    ['both', true, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('with %s', (_, isTTY, env, expected) => {
    expect(usesColor({ isTTY }, env)).toBe(expected);
  });
});
