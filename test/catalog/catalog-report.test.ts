import { expect, test } from 'vitest';
import { type ApplyReport, renderCatalogReport } from '../../src/catalog/catalog-report.ts';

const place = {
  lake: 's3://bucket/lake',
  account_id: '111122223333',
  region: 'eu-west-1',
  database: 'copies',
};
const applied: ApplyReport = {
  ...{ action: 'apply', exit_code: 0, ...place, dry_run: false },
  changes: ['+ table copy_jobs'],
  refusals: [],
};

test('an apply says where, what was changed, and that it is done', () => {
  expect(renderCatalogReport(applied)).toBe(
    'Database copies in account 111122223333, eu-west-1, for the lake s3://bucket/lake\n' +
      'Changed:\n  + table copy_jobs\nExit code 0: done.\n',
  );
});

test('a dry run, a second apply and a refusal all say that nothing was changed', () => {
  const dry = renderCatalogReport({ ...applied, dry_run: true });
  const second = renderCatalogReport({ ...applied, changes: [] });
  const refused = renderCatalogReport({ ...applied, exit_code: 78, refusals: ['copy_jobs: another type'] });
  for (const text of [dry, second, refused]) {
    expect(text).toMatch(/nothing was changed/i);
    expect(text).not.toMatch(/^Changed:/m);
  }
  expect(refused).toMatch(/^ {2}copy_jobs: another type$/m);
});

test('a check lists every drift, and nothing of it reaches the terminal as a command', () => {
  const drifts = ['copy_jobs/\u001b[2Jnotes.txt: not a part', 'copy_jobs: column x'];
  const text = renderCatalogReport({
    ...{ action: 'check', exit_code: 78, ...place },
    ...{ drifts, parts: 9, parts_read: 5 },
  });
  expect(text).toContain('The lake has 9 parts; the schema of 5 was checked.\n2 differences:\n');
  expect(text).not.toContain('\u001b');
});
