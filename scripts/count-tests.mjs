/**
 * Prints "passed failed skipped" of a report by vitest's JSON reporter. A file that could not be loaded, and a
 * report that is missing, empty or broken, counts as one failed test: silence is never success.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** @param text the report, or null when there is none */
export function countTests(text) {
  let report;
  try {
    report = JSON.parse(text ?? '');
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const unloaded = (report.testResults ?? []).filter(
    ({ status, assertionResults }) =>
      status === 'failed' && (assertionResults ?? []).every((one) => one.status !== 'failed'),
  );
  const passed = report.numPassedTests ?? 0;
  const failed = (report.numFailedTests ?? 0) + unloaded.length;
  return {
    passed,
    failed: passed + failed === 0 ? 1 : failed,
    skipped: (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0),
  };
}

function textOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { passed, failed, skipped } = countTests(textOf(process.argv[2]));
  console.log(`${passed} ${failed} ${skipped}`);
}
