/**
 * Prints "passed failed skipped" of a report by vitest's JSON reporter, and below it each failed test with the
 * beginning of its message. A file that could not be loaded, and a
 * report that is missing, empty or broken, counts as one failed test: silence is never success.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

/** @param text the report, or null when there is none */
export function countTests(text) {
  let report;
  try {
    report = JSON.parse(text ?? '');
  } catch {
    return { passed: 0, failed: 1, skipped: 0, failures: ['the report is missing or broken'] };
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
    failures: (report.testResults ?? []).flatMap(failuresOf),
  };
}

function failuresOf({ name, status, message, assertionResults }) {
  const file = relative(process.cwd(), name ?? '');
  const failed = (assertionResults ?? []).filter((one) => one.status === 'failed');
  if (failed.length === 0) return status === 'failed' ? [`${file}\n${beginning(message)}`] : [];
  return failed.map(
    (one) => `${file}: ${one.fullName}\n${beginning((one.failureMessages ?? []).join('\n'))}`,
  );
}

/** The first lines of a message, indented and without a terminal's colours. */
function beginning(message) {
  const lines = stripVTControlCharacters(message ?? '').split('\n');
  return lines
    .slice(0, 20)
    .map((line) => `    ${line.slice(0, 300)}`)
    .join('\n');
}

function textOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { passed, failed, skipped, failures } = countTests(textOf(process.argv[2]));
  console.log([`${passed} ${failed} ${skipped}`, ...failures].join('\n'));
}
