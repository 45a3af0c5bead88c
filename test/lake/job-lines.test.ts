import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { JobLines, type JobLinesOptions } from '../../src/lake/job-lines.ts';
import { bucketOf } from '../../src/lake/layout.ts';
import { PageThread } from '../../src/page-thread/page-thread.ts';
import { parseExactJson } from '../../src/shared/exact-json.ts';
import { dayMs } from '../../src/shared/time.ts';
import { BrokenAnswer, pageOf, type RawPage, type ScanJobs } from '../../src/source/page.ts';
import { creationTime } from '../../src/source/window.ts';
import { copyJobRow, copyJobs } from '../../src/tables/copy-jobs.ts';
import type { ListedRecord } from '../../src/tables/listed-record.ts';
import { scanJobs } from '../../src/tables/scan-jobs.ts';
import { type Observation, type Row, utcDay } from '../../src/tables/table.ts';
import { digestsInLines } from '../support/digests-in-lines.ts';
import { bytesOf, listedJobs, pageTexts } from '../support/job-texts.ts';
import { linesOf, stagedRows, undated } from '../support/staged-rows.ts';

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

const otherNames = ['ParentJobId', 'IamRoleArn', 'Unknown', 'constructor', '__proto__', 'copyJobId'];
const pages = pageTexts(plain, otherNames);

/** A page as it is read, or what is said of it. Bytes that are not UTF-8 are not scanned: they go the way of JSON.parse. */
async function read(
  text: string,
  isUtf8: boolean,
  scan?: ScanJobs,
): Promise<RawPage | { readonly failure: unknown }> {
  const body = bytesOf(text);
  try {
    const answer = { status: 200, date: seen.observedAt, requestId: null, body, isUtf8 };
    return await pageOf(answer, 'CopyJobs', scan);
  } catch (error) {
    return { failure: error instanceof BrokenAnswer ? error.failure : error };
  }
}

/** What is asked of a record before it is staged. */
function facts(record: ListedRecord): unknown {
  const names = [
    'CopyJobId',
    'ParentJobId',
    'IsParent',
    'NumberOfChildJobs',
    'CreationDate',
    'CreatedBy',
    'State',
    'Unknown',
  ];
  const places = ['CopyJobId', 'State', 'CreationDate', 'Unknown'].map((name) => {
    const found = record.textBytes?.(name) ?? null;
    if (found === null) return null;
    const text = Buffer.from(found.bytes.subarray(found.begin, found.end)).toString();
    expect([text, text === '']).toEqual([record.field(name), false]);
    return name;
  });
  for (const name of places) if (name !== null) placesFound.add(name);
  return [creationTime(record, seen.observedAt), ...names.map((name) => record.field(name))];
}

/** The fields whose text was found where it stands. */
const placesFound = new Set<string>();

/** Every second job was seen before, on the day before. */
const dates: JobLinesOptions['creationDates'] = {
  firstDate: (_bucket, id, created) => (id.length % 2 === 0 ? created - dayMs : created),
  isFirstDate: () => false,
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

/** The rows of the records that are plain, by copyJobRow; null: the record is not. */
function plainRow(record: unknown): Row | null {
  const normalized = copyJobRow(record, seen);
  if ('rejected' in normalized) return null;
  return normalized.unknownFields.length + normalized.alteredFields.length === 0 ? normalized.row : null;
}

const thread = new PageThread({
  from: 0,
  smallest: 0,
  log: { debug: () => undefined, warn: () => undefined },
});
afterAll(() => thread.close());

describe('the bytes of a page', () => {
  it.each<[string, number, JobLinesOptions, ScanJobs?]>([
    ['this thread', 1_000, { buckets: 3, creationDates: dates }],
    ['another thread', 500, { buckets: 3, creationDates: undated, thread }, (bytes) => thread.scan(bytes)],
  ])(
    'say the same in %s as JSON.parse and copyJobRow make of it, however they are spelled',
    async (_, numRuns, options, scan) => {
      const lines = new JobLines(options);
      const firstDate = ({ copy_job_id: id, creation_time: created }: Row): number =>
        options.creationDates.firstDate(0, String(id), Number(created)) ?? Number.NaN;
      const found = { broken: 0, unusual: 0, written: 0, odd: 0, repeated: 0 };
      await fc.assert(
        fc.asyncProperty(pages, async (text) => {
          const [page, parsed] = [await read(text, true, scan), await read(text, false)];
          if ('failure' in page || 'failure' in parsed) {
            found.broken += 1;
            expect(page).toEqual(parsed);
            return;
          }
          const values = parsed.records.map(({ value }) => value);
          expect(page.records.map(({ value }) => value)).toEqual(values);
          expect(page.nextToken).toBe(parsed.nextToken);
          expect(page.records.map(facts)).toEqual(parsed.records.map(facts));
          if (scanJobs(Buffer.from(text)) === null) {
            found.unusual += 1;
            return;
          }
          const staged = await lines.encode(page.records, seen);
          const odd = staged.odd.map((value) => JSON.stringify(value));
          const rows = values.flatMap((value) => {
            const row = plainRow(value);
            const at = odd.indexOf(JSON.stringify(value));
            if (at < 0) return row === null ? [] : [row];
            odd.splice(at, 1);
            if (row !== null) found.repeated += 1;
            return [];
          });
          expect(odd).toEqual([]);
          expect(staged.rows + staged.odd.length).toBe(values.length);
          expect(staged.rows).toBe(rows.length);
          const expected = rows.map((row) => ({ row, first: firstDate(row) }));
          expect(stagedRows(staged.parts).map(withId).sort(byId)).toEqual(
            expected.map(({ row, first }) => withId(stagedOf(row, first))).sort(byId),
          );
          for (const part of staged.parts) {
            const inPart = expected.filter(
              ({ row, first }) =>
                utcDay(first) === part.partition.creation_date &&
                bucketOf(String(row.account_id), 3) === part.bucket,
            );
            expect(part.rows).toBe(inPart.length);
            const asRows = inPart.map(({ row, first }) => ({ ...row, creation_time: first }));
            expect(Buffer.concat(part.bytes).toString()).toBe(linesOf(copyJobs, asRows));
            expect([...Array.from(part.digests.entries), part.digests.latest]).toEqual([
              ...digestsInLines(copyJobs, Buffer.concat(part.bytes)),
              seen.observedAt,
            ]);
          }
          expect(staged.openDays).toEqual(
            new Set(rows.filter((row) => row.is_terminal !== true).map((row) => String(row.creation_date))),
          );
          found.written += staged.rows;
          found.odd += staged.odd.length;
        }),
        { numRuns, seed: 9 },
      );
      expect([...placesFound].sort()).toEqual(['CopyJobId', 'State']);
      expect(Math.min(...Object.values(found))).toBeGreaterThan(5);
      // Only a name that comes twice, or one with escapes, sends a record with a plain row the long way.
      expect(found.repeated).toBeLessThan(found.written);
    },
  );
});

const withId = (row: Row): readonly [string, Row] => [JSON.stringify(Object.entries(row).sort()), row];
const byId = ([a]: readonly [string, Row], [b]: readonly [string, Row]): number => (a < b ? -1 : 1);

describe('a record of a copy job', () => {
  const latest = seen.observedAt + dayMs;
  const changed = (changes: Readonly<Record<string, unknown>>) => ({ ...plain, ...changes });
  it.each<[string, unknown, boolean]>([
    ['every field', plain, true],
    ['a field that is null', changed({ StatusMessage: null }), true],
    ['a group that is null', changed({ CreatedBy: null }), true],
    ['every group null', changed({ CreatedBy: null, DestinationRecoveryPointLifecycle: null }), true],
    ['a map of counts that is null', changed({ ChildJobsInState: null }), true],
    ['a group that is a text', changed({ CreatedBy: 'me' }), false],
    ['a creation date a day after the response', changed({ CreationDate: latest / 1000 }), true],
    ['a creation date later than that', changed({ CreationDate: (latest + 1) / 1000 }), false],
    ['a size of 2^53 - 1', changed({ BackupSizeInBytes: 2 ** 53 - 1 }), true],
    ['a size of 2^53', changed({ BackupSizeInBytes: 2 ** 53 }), false],
    ['half a surrogate pair', changed({ StatusMessage: 'half \ud83d' }), false],
    ['no id', changed({ CopyJobId: '' }), false],
    ['an unknown field', changed({ Brand: 'new' }), false],
    ['an unknown field in a group', changed({ CreatedBy: { Brand: 'new' } }), false],
    ['a text in place of a number', changed({ NumberOfChildJobs: '3' }), false],
    ['a very long text', changed({ StatusMessage: 'x'.repeat(2 ** 20 + 1) }), false],
  ])('with %s is staged from its bytes, or is odd', async (_, record, isPlain) => {
    const page = await new JobLines({ buckets: 3, creationDates: dates }).encode(listedJobs([record]), seen);
    expect([page.rows, page.odd]).toEqual(isPlain ? [1, []] : [0, [parseExactJson(JSON.stringify(record))]]);
  });

  it('begins its line with its id, then has what decides about changes', async () => {
    const page = await new JobLines({ buckets: 1, creationDates: undated }).encode(listedJobs([plain]), seen);
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
      CreationDate: 1_795_127_436 - (n % 5) * 86_400,
      ResourceName: 'n'.repeat(n % 2_000),
      ...(n % 100 === 0 ? { Brand: 'new' } : {}),
    }));
    const { parts, rows, odd } = await new JobLines({ buckets: 2, creationDates: undated }).encode(
      listedJobs(page),
      seen,
    );
    expect([rows, odd.length]).toEqual([5_940, 60]);
    const ids = parts.flatMap((part) => {
      const staged = stagedRows([part]);
      expect(staged).toHaveLength(part.rows);
      expect(part.digests.entries).toEqual(digestsInLines(copyJobs, Buffer.concat(part.bytes)));
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
      isFirstDate: (bucket) => loaded.has(bucket) || null,
      load: async (bucket) => {
        await Promise.resolve();
        loads.push(bucket);
        loaded.add(bucket);
      },
    };
    const lines = new JobLines({ buckets: 2, creationDates });
    const accounts = ['111122223333', '444455556666', '777788889999', '000000000001'];
    const page = accounts.map((AccountId, n) => ({ ...plain, CopyJobId: `job-${n}`, AccountId }));
    const [one, other] = await Promise.all([
      lines.encode(listedJobs(page), seen),
      lines.encode(listedJobs(page), seen),
    ]);
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
