/** The verdict as a page that a person can file. */
import { html } from '../pages/html.ts';
import { dataTable, type Figure, page, section, tag } from '../pages/report-page.ts';
import { size } from '../telemetry/human-units.ts';
import { count, grouped } from '../telemetry/paragraphs.ts';
import type { Finding } from './finding.ts';
import { readLine, saying } from './verdict-text.ts';
import type { VerifyReport } from './verify-report.ts';

/** Findings that stand on the page; --output json has all. */
const shownFindings = 500;

const tones = { clean: 'good', warnings: 'warn', damaged: 'bad' } as const;

export function renderVerdictPage(report: VerifyReport): string {
  const { findings, verdict } = report;
  return page({
    title: 'Verdict on the copy job record',
    kicker: 'backup-copy-export verify',
    subject: `${report.lake} · ${minute(report.ended_at)} UTC`,
    verdict: { tone: tones[verdict], say: `${saying(report)} the lake`, why: readLine(report) },
    figures: figures(report),
    sections: [
      ...(findings.length === 0 ? [] : [findingsSection(findings)]),
      section('proven', 'Proven', 'What this look has shown.', list(report.proven)),
      section(
        'not-proven',
        'Not proven',
        'What this look could not show, and what would.',
        list(report.not_proven),
      ),
    ],
    footer: [
      `backup-copy-export ${report.program_version} read the lake from ${report.started_at} to ${report.ended_at}. It changed nothing. Exit code ${report.exit_code}.`,
      'All numbers on this page are in the output of verify --output json.',
    ],
  });
}

function figures({ checked, parts_in_lake: all, findings, quick }: VerifyReport): Figure[] {
  const objects = new Set(findings.map(({ key }) => key)).size;
  return [
    {
      name: 'Findings',
      value: grouped(findings.length),
      of: `in ${count(objects, 'object')}`,
      tone: findings.some(({ severity }) => severity === 'damage') ? 'bad' : 'good',
    },
    {
      name: 'Parts',
      value: grouped(checked.parts),
      of: `of ${grouped(all)}${quick ? ', not opened' : `, ${size(checked.bytes)}`}`,
    },
    { name: 'Rows', value: grouped(checked.rows) },
    {
      name: 'Runs',
      value: grouped(checked.runs),
      of: `${grouped(checked.unfinished_runs)} unfinished`,
    },
    {
      name: 'Checkpoints',
      value: grouped(checked.checkpoints),
      of: `${grouped(checked.signed_checkpoints)} signed by the given key${checked.witness_copies === null ? '' : `, ${grouped(checked.witness_copies)} at the witness`}`,
    },
  ];
}

function findingsSection(findings: readonly Finding[]) {
  const left = findings.length - shownFindings;
  return section(
    'findings',
    'Findings',
    left > 0
      ? `The first ${grouped(shownFindings)} of ${grouped(findings.length)}; --output json has all.`
      : 'What is not as the ledger says, and what to do about it.',
    dataTable(
      'Each finding and its remedy',
      [
        { name: 'Object' },
        { name: 'Kind', kind: 'short' },
        { name: 'What is wrong' },
        { name: 'What to do' },
      ],
      findings
        .slice(0, shownFindings)
        .map(({ key, kind, severity, what, remedy }) => [
          key,
          tag(severity === 'damage' ? 'bad' : 'warn', kind),
          `${what}.`,
          remedy,
        ]),
    ),
    'long',
  );
}

function list(lines: readonly string[]) {
  return html`<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
}

function minute(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}
