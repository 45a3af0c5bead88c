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
