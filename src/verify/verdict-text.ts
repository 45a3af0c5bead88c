/** The verdict for people: first the damage with its remedy, then what was read and what that proves. */
import { styleText } from 'node:util';
import { exitCodes } from '../shared/exit-codes.ts';
import { size, span } from '../telemetry/human-units.ts';
import { count, grouped, indented, paragraphs } from '../telemetry/paragraphs.ts';
import { printable } from '../telemetry/printable.ts';
import type { Finding } from './finding.ts';
import type { VerifyReport } from './verify-report.ts';

/** How many damaged objects are described. */
const shownObjects = 50;

/** @param columns the terminal's width @param color whether the verdict is coloured */
export function renderVerdict(report: VerifyReport, columns = 100, color = false): string {
  const blocks = [
    paragraphs(columns, [`${painted(saying(report), report, color)} ${printable(report.lake)}`]),
    ...findingBlocks(report.findings, columns),
    paragraphs(columns, [readLine(report), ...placeLine(report)]),
    paragraphs(columns, ['Proven:', ...report.proven.map((line) => `- ${line}`)]),
    paragraphs(columns, ['Not proven:', ...report.not_proven.map((line) => `- ${line}`)]),
    paragraphs(columns, [`Exit code ${report.exit_code}: ${endingOf(report)}.`]),
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** The verdict in a few words. */
export function saying({ verdict, findings }: VerifyReport): string {
  const objects = new Set(findings.map(({ key }) => key)).size;
  if (verdict === 'clean') return 'No damage found in';
  const what = `${count(findings.length, 'finding')} in ${count(objects, 'object')} of`;
  return verdict === 'damaged' ? `DAMAGED: ${what}` : `No damage; ${what}`;
}

function painted(text: string, { verdict }: VerifyReport, color: boolean): string {
  if (!color) return text;
  const paint = verdict === 'damaged' ? 'red' : verdict === 'clean' ? 'green' : 'yellow';
  return styleText(paint, text, { validateStream: false });
}

function findingBlocks(findings: readonly Finding[], columns: number): readonly string[] {
  const objects = [...Map.groupBy(findings, ({ key }) => key)];
  const blocks = objects
    .slice(0, shownObjects)
    .map(([key, own]) =>
      [
        printable(key),
        ...own.flatMap(({ kind, what }) => indented(`${kind}: ${what}.`, 2, columns)),
        ...expectedLines(own, columns),
        ...[...new Set(own.map(({ remedy }) => remedy))].flatMap((remedy) => indented(remedy, 2, columns)),
      ].join('\n'),
    );
  const left = objects.length - shownObjects;
  return left > 0 ? [...blocks, `${count(left, 'more object')}: --output json has all findings.`] : blocks;
}

/** What a person compares a restored version with. */
function expectedLines(own: readonly Finding[], columns: number): readonly string[] {
  const named = new Set(own.flatMap(({ expected }) => (expected === null ? [] : [expected.sha256])));
  return [...named].flatMap((sha256) => indented(`The right SHA-256 is ${sha256}.`, 2, columns));
}

/** What was read, in one sentence. */
export function readLine({ checked, parts_in_lake: all, started_at, ended_at, quick }: VerifyReport): string {
  const { parts, rows, bytes, runs, manifests, unfinished_runs: unfinished } = checked;
  const took = span(Date.parse(ended_at) - Date.parse(started_at));
  const content = quick ? 'without their content' : `${count(rows, 'row')}, ${size(bytes)}`;
  return (
    `Read ${grouped(parts)} of ${count(all, 'part')} (${content}), ` +
    `${count(checked.coverage_files, 'coverage file')}, ${count(manifests, 'manifest')} of ${count(runs, 'run')}` +
    `${unfinished === 0 ? '' : ` (${grouped(unfinished)} unfinished)`}, in ${took}.`
  );
}

function placeLine({ complete, resume_after: after }: VerifyReport): readonly string[] {
  if (complete) return [];
  return [
    `The time was up${after === null ? '' : ` after ${printable(after)}`}; the next look goes on from there.`,
  ];
}

function endingOf({ exit_code: code }: VerifyReport): string {
  return code === 0 ? 'no damage found' : exitCodes[code];
}
