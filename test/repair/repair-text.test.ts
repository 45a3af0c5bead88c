import { expect, it } from 'vitest';
import type { RepairedObject, RepairReport } from '../../src/repair/repair-report.ts';
import { renderRepair } from '../../src/repair/repair-text.ts';

const dryRun = (outcome: RepairedObject['outcome']): RepairReport => ({
  exit_code: 80,
  lake: './lake',
  applied: false,
  looks: 1,
  objects: [{ key: 'copy_jobs/part.parquet', found: ['part-changed'], outcome, advice: 'Look for a backup' }],
  damage_left: 1,
  warnings_left: 0,
});

it('advises --apply after a dry run only if that would change something', () => {
  expect(renderRepair(dryRun('would-restore'))).toContain('Run it again with --apply');
  for (const outcome of ['lost', 'person', 'next-run', 'read-again'] as const) {
    const text = renderRepair(dryRun(outcome));
    expect(text).not.toContain('Run it again with --apply');
    expect(text).toContain('--apply would change nothing');
  }
});

it('does not call a lake whole of which it could not read everything', () => {
  const report = { ...dryRun('unread'), applied: true, exit_code: 74, damage_left: 0 } as const;
  const text = renderRepair(report);
  expect(text).toContain('Could not be read');
  const unread = { ...report, objects: report.objects.map((object) => ({ ...object, found: [] })) };
  expect(renderRepair(unread)).toContain('- copy_jobs/part.parquet: Look for a backup.');
  expect(text).toContain('verify finds no damage in what could be read');
  expect(text).toMatch(/Exit code 74: input\/output error/);
  expect(renderRepair({ ...report, exit_code: 0, objects: [] })).toContain('Exit code 0: nothing is damaged');
});
