import { describe, expect, test } from 'vitest';
import { countTests } from '../../scripts/count-tests.mjs';

describe('the tests of a report are counted', () => {
  const report = {
    numPassedTests: 3,
    numFailedTests: 1,
    numPendingTests: 1,
    numTodoTests: 1,
    testResults: [],
  };

  test('passed, failed and skipped', () => {
    expect(countTests(JSON.stringify(report))).toEqual({ passed: 3, failed: 1, skipped: 2 });
  });

  test('a file that could not be loaded counts as failed', () => {
    const testResults = [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [{ status: 'failed' }] },
    ];
    expect(countTests(JSON.stringify({ ...report, testResults })).failed).toBe(2);
  });

  test.each([null, '', '{', '{"numPassedTests":0,"testResults":[]}'])('%j counts as failed', (text) => {
    expect(countTests(text)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});
