import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JobLines, type JobLinesOptions } from '../../src/lake/job-lines.ts';
import { bucketOf } from '../../src/lake/layout.ts';
import { parseExactJson, UnsafeInteger } from '../../src/shared/exact-json.ts';
import { dayMs } from '../../src/shared/time.ts';
import { copyJobRow, copyJobs } from '../../src/tables/copy-jobs.ts';
import { type Observation, type Row, utcDay } from '../../src/tables/table.ts';
import { stagedRows, undated } from '../support/staged-rows.ts';

const seen: Observation = {
  accountId: '111122223333',
  region: 'us-east-1',
  observedAt: Date.UTC(2026, 10, 20, 2),
  runId: 'run-1',
  openReadAt: Date.UTC(2026, 10, 19, 2),
};

const plain: Readonly<Record<string, unknown>> = {
  AccountId: '444455556666',
  CopyJobId: '3F2504E0-4F89-41D3-9A0C-0305E82C3301',
  SourceBackupVaultArn: 'arn:aws:backup:us-east-1:777788889999:backup-vault:prod',
  DestinationVaultType: 'BACKUP_VAULT',
  DestinationRecoveryPointLifecycle: { DeleteAfterDays: 35, OptInToArchiveForSupportedResources: false },
  CreationDate: 1_795_127_436.401,
  CompletionDate: 1_795_128_865.773,
  State: 'COMPLETED',
  StatusMessage: 'Done',
  BackupSizeInBytes: 107_374_182_400,
  CreatedBy: {
    BackupPlanName: '夜間',
    BackupRuleCron: 'cron(15 */6 ? * * *)',
    BackupRuleTimezone: 'Asia/Tokyo',
  },
  IsParent: true,
  NumberOfChildJobs: 3,
  ChildJobsInState: { RUNNING: 1, COMPLETED: 2, NEW_STATE: 7 },
  ResourceName: 'résumé “archive” 🔒',
  MessageCategory: 'SUCCESS',
};

const strange: readonly unknown[] = [
  null,
  '',
  'text',
  '"quoted" \\ \n \u0000 \u007f \u2028',
  '🔒',
  'half a pair \ud83d',
  'x'.repeat(2 ** 20 + 1),
  'arn:aws:ec2:us-east-1::snapshot/snap-1',
  0,
  -0,
  1.5,
  -0.001,
  1_795_127_436.4004,
  -62_135_596_800,
  -62_135_596_800.001,
  253_402_300_799.999,
  253_402_300_800,
  2 ** 53 - 1,
  2 ** 53,
  Number.POSITIVE_INFINITY,
  new UnsafeInteger('9007199254740993'),
  true,
  [],
  ['a'],
  {},
  { BackupPlanId: 'plan', BackupRuleCron: 'rate(12 hours)', BackupRuleTimezone: '' },
  { BackupPlanId: null, Unknown: 1 },
  { DeleteAfterDays: -1, DeleteAfterEvent: 'DELETE_AFTER_COPY' },
  { COMPLETED: 1, 9: 2, FAILED: null },
  { COMPLETED: 1.5 },
  { 'half \ud83d': 1 },
  { COMPLETED: new UnsafeInteger('9007199254740993') },
];

const unknown = ['Unknown', 'constructor', '__proto__'];
const fields = [...Object.keys(plain), 'ParentJobId', 'IamRoleArn', ...unknown];

/** A plain record with some fields gone or changed, and at times fields that nobody knows. */
const records = fc
  .record({
    gone: fc.subarray(Object.keys(plain), { maxLength: 6 }),
    changed: fc.array(fc.tuple(fc.constantFrom(...fields), fc.constantFrom(...strange)), { maxLength: 2 }),
    isText: fc.boolean(),
  })
  .map(({ gone, changed, isText }) => {
    const record = Object.fromEntries([
      ...Object.entries(plain).filter(([name]) => !gone.includes(name)),
      ...changed,
    ]);
    return isText ? parseExactJson(JSON.stringify(record)) : record;
  });

/** Every second job was seen before, on the day before. */
const dates: JobLinesOptions['creationDates'] = {
  firstDate: (_bucket, id, created) => (id.length % 2 === 0 ? created - dayMs : created),
  load: async () => undefined,
};

/** What is staged of a row. */
function stagedOf(row: Row, firstDate: number): Row {
  const stored = copyJobs.columns.filter(({ origin }) => origin.kind !== 'derived');
  const values = stored.map(
    ({ name }) => [name, name === 'creation_time' ? firstDate : (row[name] ?? null)] as const,
  );
  return Object.fromEntries(values.filter(([, value]) => value !== null));
}

describe('a record of a copy job', () => {
  it('has the line of its row if every field is plain, and otherwise none', async () => {
    const lines = new JobLines({ buckets: 3, creationDates: dates });
    let [written, odd] = [0, 0];
    await fc.assert(
      fc.asyncProperty(records, async (record) => {
        const normalized = copyJobRow(record, seen);
        const page = await lines.encode([record], seen);
        const isPlain =
          !('rejected' in normalized) &&
          normalized.unknownFields.length + normalized.alteredFields.length === 0 &&
          // Nobody is told of an unknown field that is an empty object; the record is still odd.
          !unknown.some((name) => Object.hasOwn(Object(record), name)) &&
          !JSON.stringify(record).includes('x'.repeat(2 ** 20 + 1));
        expect(page.odd).toEqual(isPlain ? [] : [record]);
        expect(page.rows).toBe(isPlain ? 1 : 0);
        if (!isPlain || 'rejected' in normalized) {
          odd += 1;
          expect([page.parts, [...page.openDays]]).toEqual([[], []]);
          return;
        }
        written += 1;
        const { row } = normalized;
        const first = dates.firstDate(0, String(row.copy_job_id), Number(row.creation_time)) ?? Number.NaN;
        expect(stagedRows(page.parts)).toEqual([stagedOf(row, first)]);
        expect(page.parts.map(({ partition, bucket, rows }) => ({ partition, bucket, rows }))).toEqual([
          {
            partition: { creation_date: utcDay(first) },
            bucket: bucketOf(String(row.account_id), 3),
            rows: 1,
          },
        ]);
        expect([...page.openDays]).toEqual(row.is_terminal === true ? [] : [row.creation_date]);
      }),
      { numRuns: 4_000, seed: 9 },
    );
    expect(Math.min(written, odd)).toBeGreaterThan(500);
  });

  it('begins its line with its id, then has what decides about changes', async () => {
    const page = await new JobLines({ buckets: 1, creationDates: undated }).encode([plain], seen);
    const [row = {}] = stagedRows(page.parts);
    const names = Object.keys(row);
    expect(names[0]).toBe('copy_job_id');
    const isCompared = (name: string) =>
      copyJobs.columns.some((one) => one.name === name && ['api', 'target'].includes(one.origin.kind));
    const firstOther = names.findIndex((name) => !isCompared(name));
    expect(names.slice(firstOther).filter(isCompared)).toEqual([]);
  });
});

describe('a page', () => {
  it('stages each record once, in the part of its day and bucket, however long the page is', async () => {
    const accounts = ['111122223333', '444455556666', '777788889999'];
    const page = Array.from({ length: 6_000 }, (_, n) => ({
      ...plain,
      CopyJobId: `job-${n}`,
      AccountId: accounts[n % 3],
      CreationDate: 1_795_127_436 + (n % 5) * 86_400,
      ResourceName: 'n'.repeat(n % 2_000),
      ...(n % 100 === 0 ? { Brand: 'new' } : {}),
    }));
    const { parts, rows, odd } = await new JobLines({ buckets: 2, creationDates: undated }).encode(
      page,
      seen,
    );
    expect([rows, odd.length]).toEqual([5_940, 60]);
    const ids = parts.flatMap((part) => {
      const staged = stagedRows([part]);
      expect(staged).toHaveLength(part.rows);
      for (const row of staged) {
        expect(utcDay(Number(row.creation_time))).toBe(part.partition.creation_date);
        expect(bucketOf(String(row.account_id), 2)).toBe(part.bucket);
      }
      return staged.map(({ copy_job_id: id }) => String(id));
    });
    expect(ids.sort()).toEqual(
      page
        .filter(({ CopyJobId }) => !CopyJobId.endsWith('00') && CopyJobId !== 'job-0')
        .map(({ CopyJobId }) => CopyJobId)
        .sort(),
    );
  });

  it('waits for the creation dates of its buckets', async () => {
    const loaded = new Set<number>();
    const loads: number[] = [];
    const creationDates: JobLinesOptions['creationDates'] = {
      firstDate: (bucket, _id, created) => (loaded.has(bucket) ? created : null),
      load: async (bucket) => {
        await Promise.resolve();
        loads.push(bucket);
        loaded.add(bucket);
      },
    };
    const lines = new JobLines({ buckets: 2, creationDates });
    const accounts = ['111122223333', '444455556666', '777788889999', '000000000001'];
    const page = accounts.map((AccountId, n) => ({ ...plain, CopyJobId: `job-${n}`, AccountId }));
    const [one, other] = await Promise.all([lines.encode(page, seen), lines.encode(page, seen)]);
    for (const { parts } of [one, other]) {
      expect(
        stagedRows(parts)
          .map(({ copy_job_id: id }) => id)
          .sort(),
      ).toEqual(['job-0', 'job-1', 'job-2', 'job-3']);
    }
    expect(new Set(loads)).toEqual(new Set(accounts.map((account) => bucketOf(account, 2))));
  });
});
