import { expect, it } from 'vitest';
import { finding } from '../../src/verify/finding.ts';
import { renderVerdictPage } from '../../src/verify/verdict-page.ts';
import { renderVerdict } from '../../src/verify/verdict-text.ts';
import type { VerifyReport } from '../../src/verify/verify-report.ts';

const sha256 = 'a'.repeat(64);
const clean: VerifyReport = {
  exit_code: 0,
  verdict: 'clean',
  lake: 's3://bucket/lake',
  started_at: '2026-11-27T05:00:00.000Z',
  ended_at: '2026-11-27T05:02:05.000Z',
  program_version: '1.2.3',
  since: null,
  subset: null,
  quick: false,
  complete: true,
  resume_after: null,
  checked: {
    runs: 400,
    unfinished_runs: 2,
    manifests: 398,
    parts: 1234,
    rows: 567_890,
    bytes: 987_654_321,
    coverage_files: 398,
    begin_records: 2,
    rejected_files: 3,
    watermarks: 12,
    checkpoints: 398,
    signed_checkpoints: 390,
    witness_copies: null,
    objects_in_newest_checkpoint: 2033,
  },
  parts_in_lake: 1234,
  parts_without_manifest: 0,
  proven: ['Every part is right.'],
  not_proven: ['Whether <somebody> forged it.'],
  findings: [],
};
const key = 'copy_jobs/creation_date=2026-11-20/part-00000.parquet';
const damaged: VerifyReport = {
  ...clean,
  exit_code: 80,
  verdict: 'damaged',
  findings: [
    finding('part-changed', key, 'its SHA-256 is another', { expected: { sha256, bytes: 10 } }),
    finding('rows-doubled', key, 'one row is there again: <b>'),
    finding('foreign-object', 'copy_jobs/evil\u001b[31m.parquet', 'it is not a part of copy_jobs'),
  ],
};

it('a clean lake is told of in words that say how much was read', () => {
  const text = renderVerdict(clean, 200);
  expect(text).toContain('No damage found in s3://bucket/lake');
  expect(text).toContain('Read 1,234 of 1,234 parts (567,890 rows, 987.7 MB)');
  expect(text).toContain('398 manifests of 400 runs (2 unfinished), in 2m 5s.');
  expect(text).toMatch(/Exit code 0: no damage found\.\n$/);
});

it('damage comes first: each object once, with all that is wrong with it, the right SHA-256 and what to do', () => {
  const text = renderVerdict(damaged, 200);
  expect(text).toMatch(/^DAMAGED: 3 findings in 2 objects of s3:\/\/bucket\/lake\n/);
  expect(text.split(key).length).toBe(2);
  expect(text).toContain(
    '  part-changed: its SHA-256 is another.\n  rows-doubled: one row is there again: <b>.\n',
  );
  expect(text).toContain(`The right SHA-256 is ${sha256}.`);
  expect(text).not.toContain('\u001b');
  expect(text).toMatch(
    /Exit code 80: damage: verify found that the lake is not what its ledger says, or is still so after repair\.\n$/,
  );
});

it('the page has the same numbers and findings, and no markup from the lake', () => {
  const page = renderVerdictPage(damaged);
  for (const text of [
    '1,234',
    '567,890',
    '390 signed',
    'part-changed',
    'rows-doubled',
    'evil',
    'Every part is right.',
  ]) {
    expect(page).toContain(text);
  }
  expect(page).toContain('&lt;b&gt;');
  expect(page).toContain('Whether &lt;somebody&gt; forged it.');
  expect(page).not.toContain('<b>');
  expect(page).not.toContain('\u001b');
  expect(renderVerdictPage(clean)).toContain('No damage found in the lake');
});
