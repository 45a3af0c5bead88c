import fc from 'fast-check';
import { describe, it } from 'vitest';
import { copyJobs } from '../../../src/tables/copy-jobs.ts';
import { oddArns } from './arbitraries.ts';
import { duckDbAgrees, expectAgreement } from './merge-agreement.ts';

// merge-sql.long.test.ts tries more cases.
describe('DuckDB agrees with the reference', () => {
  duckDbAgrees({ upserts: 8, newParts: 4, few: 4, slices: 8 });

  it('on a job without a state that was last read in the second in which it is first seen', async () => {
    const seen = (observedAt: number, state: string | null) => ({
      ...{ copy_job_id: 'j', state, observed_at: observedAt, run_id: 'r1' },
    });
    const first = {
      ...seen(2, 'RUNNING'),
      state_history: 'RUNNING|1970-01-01 00:00:00.002|r1|||1970-01-01 00:00:00.002',
    };
    const again = [seen(2, null), seen(1, 'CREATED')];
    await expectAgreement(copyJobs, { creation_date: '2026-11-20' }, [[first], again, again]);
  });

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
