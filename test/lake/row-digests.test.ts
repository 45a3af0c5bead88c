import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mergeRows } from '../../src/lake/engines/merge.ts';
import { KeptDigests } from '../../src/lake/kept-digests.ts';
import { RowLineDigests } from '../../src/lake/line-digests.ts';
import {
  digestsAfter,
  formatRowDigests,
  hasAll,
  parseRowDigests,
  type RowDigests,
} from '../../src/lake/row-digests.ts';
import { digestsOf, type StagedDigests } from '../../src/lake/staged-digests.ts';
import { lineOf, stagedColumns } from '../../src/lake/staged-line.ts';
import { copyJobSummaries } from '../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import type { Row, Table } from '../../src/tables/table.ts';
import { digestsInLines } from '../support/digests-in-lines.ts';
import { anyCopyJob, anySummary } from './engines/arbitraries.ts';

const key = 'copy_jobs/creation_date=2026-11-20/part-00000.parquet';
const part = { etag: 'e', sha256: 'aa', bytes: 1, rows: 1 };
const job = (n: number, more: Row = {}): Row => ({
  copy_job_id: `job-${n}`,
  account_id: '111122223333',
  region: 'eu-west-1',
  state: 'COMPLETED',
  resource_name: 'ü "quoted",\n😀',
  observed_at: 1_000,
  first_observed_at: 1_000,
  run_id: 'run-1',
  ...more,
});

describe('the digests of a part’s rows', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bce-digests-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** As staging keeps them, in memory and in a file. */
  async function staged(table: Table, rows: readonly Row[]): Promise<StagedDigests> {
    const kept = new KeptDigests(join(folder, 'digests'));
    for (const [at, row] of rows.entries()) {
      const digests = new RowLineDigests();
      const [compared, rest] = lineOf(table, row);
      digests.add(table, row, compared);
      expect(digests.entries).toEqual(digestsInLines(table, Buffer.from(`${compared}${rest}\n`)));
      kept.add(digests);
      if (at === 1 || at % 1_000 === 4) await kept.spill(() => () => undefined);
    }
    const digests = await digestsOf(table, kept, rows.length);
    await rm(join(folder, 'digests'), { force: true });
    if (digests === null) throw new Error('these rows are never merged');
    return digests;
  }

  /** What is known of a part after some batches, by the rules of the reference. */
  async function published(table: Table, batches: readonly (readonly Row[])[], latest = 10_000) {
    let [rows, known]: [readonly Row[], RowDigests | null] = [[], null];
    for (const batch of batches) {
      const merged = mergeRows(table, rows, batch, {}, latest);
      known = digestsAfter(known, await staged(table, batch), merged.fate, part, latest);
      rows = merged.rows;
    }
    return { rows, known };
  }

  async function knows(table: Table, known: RowDigests | null, rows: readonly Row[], latest = 10_000) {
    return known !== null && hasAll(known, await staged(table, rows), latest);
  }

  it.each([
    ['upserts', copyJobs, anyCopyJob(false)],
    ['slices', copyJobSummaries, anySummary],
  ] as const)('never take %s for known that a merge would change', async (_, table, anyRow) => {
    let taken = 0;
    const batches = fc.array(fc.array(anyRow, { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 4,
    });
    const check = async (
      earlier: readonly (readonly Row[])[],
      seed: number,
      latest: number,
    ): Promise<void> => {
      const { rows, known } = await published(table, earlier, latest);
      const seen = earlier.flat();
      // What AWS may show next: some of what was seen, again or later, or what never was.
      const candidates = [
        seen.filter((_row, at) => (seed >> at) & 1),
        seen.filter((_row, at) => at === seed % seen.length),
        rows.filter((_row, at) => (seed >> at) & 1),
        earlier.at(-1) ?? [],
      ];
      for (const shown of candidates) {
        const again = shown.map((row) => ({ ...row, observed_at: 6, first_observed_at: 6, run_id: 'r9' }));
        for (const next of [shown, again]) {
          if (next.length === 0 || !(await knows(table, known, next, latest))) continue;
          taken += 1;
          expect(mergeRows(table, rows, next, {}, latest).outcome.changed).toBe(false);
        }
      }
    };
    await fc.assert(fc.asyncProperty(batches, fc.nat(2 ** 20), fc.constantFrom(3, 5, 10_000), check), {
      numRuns: 60,
    });
    expect(taken).toBeGreaterThan(40);
  });

  it('know all rows of a run that AWS shows again, whatever run sees them and when', async () => {
    const jobs = [job(1), job(2, { state: 'RUNNING' }), job(3, { resource_name: null })];
    const { known } = await published(copyJobs, [jobs]);
    const later = jobs.map((row) => ({
      ...row,
      observed_at: 2_000,
      first_observed_at: 2_000,
      run_id: 'run-2',
    }));
    expect(await knows(copyJobs, known, later)).toBe(true);
    expect(await knows(copyJobs, known, later.slice(1))).toBe(true);
    expect(await knows(copyJobs, known, [job(4)])).toBe(false);
    for (const { name, type } of stagedColumns(copyJobs).filter(({ origin }) => origin.kind === 'api')) {
      const other = type === 'text' ? 'other' : type === 'boolean' ? true : 7;
      expect(await knows(copyJobs, known, [job(1, { [name]: other })]), name).toBe(false);
    }
  });

  it('know what a later run changed and added, and forget what was before', async () => {
    const { known } = await published(copyJobs, [
      [job(1), job(2, { state: 'RUNNING' })],
      [job(2, { observed_at: 2_000 }), job(3, { observed_at: 2_000 })],
    ]);
    expect(await knows(copyJobs, known, [job(1), job(2), job(3)])).toBe(true);
    expect(await knows(copyJobs, known, [job(2, { state: 'RUNNING' })])).toBe(false);
  });

  it('know a slice only as a whole', async () => {
    const count = (state: string, more: Row = {}): Row => ({
      ...{ account_id: '1', region: 'a', state, job_count: 2, start_time: 0, observed_at: 1_000 },
      ...more,
    });
    const slice = [count('RUNNING'), count('COMPLETED')];
    const { known } = await published(copyJobSummaries, [[...slice, count('FAILED', { region: 'b' })]]);
    expect(await knows(copyJobSummaries, known, [...slice].reverse())).toBe(true);
    expect(await knows(copyJobSummaries, known, slice.slice(1))).toBe(false);
    expect(await knows(copyJobSummaries, known, [...slice, count('FAILED')])).toBe(false);
    const twoDrains = [count('RUNNING'), count('COMPLETED', { observed_at: 2_000 })];
    expect(await knows(copyJobSummaries, known, twoDrains)).toBe(false);
  });

  it.each([
    ['upserts', copyJobs, anyCopyJob(false)],
    ['slices', copyJobSummaries, anySummary],
  ] as const)('tell whether the rows of %s are a new part as they are', async (_, table, anyRow) => {
    const found = new Set<boolean>();
    const check = async (rows: readonly Row[]): Promise<void> => {
      const { distinct } = await staged(table, rows);
      expect(distinct).toBe(mergeRows(table, [], rows).rows.length === rows.length);
      found.add(distinct);
    };
    const rows = fc.array(anyRow, { minLength: 1, maxLength: 4 });
    await fc.assert(fc.asyncProperty(rows, check), { numRuns: 100 });
    expect(found.size).toBe(2);
    const sameKey = rows.map(([first = {}]) => [first, { ...first, resource_name: 'other', job_count: 9 }]);
    await fc.assert(fc.asyncProperty(sameKey, check), { numRuns: 10 });
  });

  it('do not count for rows that claim to be of the future', async () => {
    const { known } = await published(copyJobs, [[job(1, { observed_at: 5_000 })]]);
    expect(await knows(copyJobs, known, [job(1)], 5_000)).toBe(true);
    expect(await knows(copyJobs, known, [job(1)], 4_999)).toBe(false);
  });

  it('come back from their bytes, and are nothing if those are damaged or of another part', async () => {
    const { known } = await published(copyJobs, [[job(1), job(2)]]);
    if (known === null) throw new Error('nothing is known');
    const bytes = formatRowDigests(known, copyJobs, key, 1);
    const read = parseRowDigests(bytes, copyJobs, key, 1);
    expect(read).toMatchObject({ part, latest: 1_000 });
    expect(await knows(copyJobs, read, [job(1), job(2)])).toBe(true);
    expect(parseRowDigests(bytes, copyJobs, key.replace('20/', '21/'), 1)).toBeNull();
    expect(parseRowDigests(bytes, copyJobs, key, 2)).toBeNull();
    const [, ...fewer] = copyJobs.columns;
    expect(parseRowDigests(bytes, { ...copyJobs, columns: fewer }, key, 1)).toBeNull();
    // Those of an earlier version, whose lines had another form.
    const [, head = ''] = /^\w+ (.*)\n/.exec(Buffer.from(bytes).toString('latin1')) ?? [];
    const entries = bytes.subarray(head.length + 66);
    for (const [format, isKnown] of [
      [2, true],
      [1, false],
    ] as const) {
      const text = head.replace('"format":2', `"format":${format}`);
      const sha256 = createHash('sha256').update(text).update(entries).digest('hex');
      const other = Buffer.concat([Buffer.from(`${sha256} ${text}\n`), entries]);
      expect(parseRowDigests(other, copyJobs, key, 1) !== null).toBe(isKnown);
    }
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(parseRowDigests(damaged, copyJobs, key, 1), `byte ${at}`).toBeNull();
      expect(parseRowDigests(bytes.subarray(0, at), copyJobs, key, 1), `${at} bytes`).toBeNull();
    }
  });

  it('are found again among many', async () => {
    const jobs = Array.from({ length: 5_000 }, (_, n) => job(n));
    const { known } = await published(copyJobs, [jobs.slice(0, 3_000), jobs.slice(3_000)]);
    expect(known?.digests.size).toBe(5_000);
    expect(await knows(copyJobs, known, jobs)).toBe(true);
  });
});
