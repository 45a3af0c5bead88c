import { describe, expect, it } from 'vitest';
import { copyJobSummaries, copyJobSummaryRow } from '../../src/tables/copy-job-summaries.ts';

const seen = { accountId: '111122223333', region: 'us-east-1', observedAt: 5, runId: 'run-1' };
const record = { State: 'COMPLETED', ResourceType: 'EBS', Count: 3, StartTime: 1_763_596_800 };

describe('a summary record', () => {
  it('becomes a row in the partition of its period and UTC day', () => {
    const normalized = copyJobSummaryRow(record, seen, 'ONE_DAY');
    expect(normalized).toMatchObject({
      row: { job_count: 3, aggregation_period: 'ONE_DAY', start_date: '2025-11-20', state: 'COMPLETED' },
    });
    if ('rejected' in normalized) throw new Error('rejected');
    for (const { name } of copyJobSummaries.columns) expect(normalized.row, name).toHaveProperty(name);
  });

  it('belongs to the target where it names no account or region itself', () => {
    expect(copyJobSummaryRow(record, seen, 'ONE_DAY')).toMatchObject({
      row: { account_id: '111122223333', region: 'us-east-1' },
    });
    expect(
      copyJobSummaryRow({ ...record, AccountId: '012345678901', Region: 'eu-west-1' }, seen, 'ONE_DAY'),
    ).toMatchObject({
      row: { account_id: '012345678901', region: 'eu-west-1', queried_account_id: '111122223333' },
    });
  });

  it('is rejected for half a surrogate pair, since each of its texts is a part of its key', () => {
    for (const field of ['State', 'ResourceType', 'MessageCategory', 'AccountId', 'Region']) {
      expect(copyJobSummaryRow({ ...record, [field]: 'a\ud83d' }, seen, 'ONE_DAY')).toEqual({
        rejected: `${field} is not well-formed Unicode`,
      });
    }
  });

  it('is rejected without a start or a count', () => {
    expect(copyJobSummaryRow({ ...record, StartTime: undefined }, seen, 'ONE_DAY')).toHaveProperty(
      'rejected',
    );
    expect(copyJobSummaryRow({ ...record, Count: undefined }, seen, 'ONE_DAY')).toHaveProperty('rejected');
  });
});
