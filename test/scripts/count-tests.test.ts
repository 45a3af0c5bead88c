import { resolve } from 'node:path';
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
    expect(countTests(JSON.stringify(report))).toEqual({ passed: 3, failed: 1, skipped: 2, failures: [] });
  });

  test('a file that could not be loaded counts as failed', () => {
    const testResults = [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [{ status: 'failed' }] },
    ];
    expect(countTests(JSON.stringify({ ...report, testResults })).failed).toBe(2);
  });

  test.each([null, '', '{', '{"numPassedTests":0,"testResults":[]}'])('%j counts as failed', (text) => {
    expect(countTests(text)).toMatchObject({ passed: 0, failed: 1, skipped: 0 });
  });

  test('failed tests, and files that could not be loaded, are named with their messages', () => {
    const testResults = [
      {
        name: resolve('test/a.test.ts'),
        status: 'failed',
        assertionResults: [
          { status: 'passed', fullName: 'is well' },
          {
            status: 'failed',
            fullName: 'is broken',
            failureMessages: ['\u001b[31mexpected 1\u001b[39m\nat line 2'],
          },
        ],
      },
      { name: resolve('test/b.test.ts'), status: 'failed', message: 'no such module', assertionResults: [] },
    ];
    expect(countTests(JSON.stringify({ ...report, testResults })).failures).toEqual([
      'test/a.test.ts: is broken\n    expected 1\n    at line 2',
      'test/b.test.ts\n    no such module',
    ]);
  });
});
