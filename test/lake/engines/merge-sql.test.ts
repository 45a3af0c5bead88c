import fc from 'fast-check';
import { describe, it } from 'vitest';
import { copyJobs } from '../../../src/tables/copy-jobs.ts';
import { oddArns } from './arbitraries.ts';
import { duckDbAgrees, expectAgreement } from './merge-agreement.ts';

// merge-sql.long.test.ts tries more cases.
describe('DuckDB agrees with the reference', () => {
  duckDbAgrees({ upserts: 8, newParts: 4, few: 4, slices: 8 });

  it('on the derived columns of odd ARNs', async () => {
    const rows = fc
      .sample(fc.tuple(oddArns, oddArns), { numRuns: 3_000, seed: 42 })
      .map(([source, destination], at) => ({
        copy_job_id: String(at).padStart(6, '0'),
        source_backup_vault_arn: source,
        destination_backup_vault_arn: destination,
        observed_at: 1,
      }));
    await expectAgreement(copyJobs, { creation_date: '2026-11-20' }, [rows]);
  });
});
