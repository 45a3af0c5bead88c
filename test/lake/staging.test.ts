import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bucketOf } from '../../src/lake/layout.ts';
import { openScratch } from '../../src/lake/scratch.ts';
import { bytesIn } from '../../src/lake/staged-files.ts';
import {
  openStaging,
  type StagedBatch,
  type StagedPart,
  type StagingOptions,
} from '../../src/lake/staging.ts';
import { ScratchError } from '../../src/shared/errors.ts';
import { copyJobSummaries } from '../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import type { Row } from '../../src/tables/table.ts';
import { digestsInLines } from '../support/digests-in-lines.ts';
import { rowsIn } from '../support/staged-rows.ts';

const account = (n: number) => String(111122220000 + n);
const job = (n: number, day: number, more: Row = {}): Row => ({
  copy_job_id: `job-${n}`,
  account_id: account(n),
  creation_date: `2026-11-${String(day).padStart(2, '0')}`,
  state: null,
  is_cross_region: true,
  ...more,
});

async function staged(batch: StagedBatch): Promise<Map<string, readonly Row[]>> {
  const found = new Map<string, readonly Row[]>();
  for (const { key, table, files } of batch.parts) {
    let bytes = Buffer.alloc(0);
    for (const file of files) for await (const some of bytesIn(file)) bytes = Buffer.concat([bytes, some]);
    found.set(key, rowsIn(table, bytes));
  }
  return found;
}

describe('staging', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bce-staging-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('closes the rows of one table, and leaves those of another, with their files', async () => {
    const staging = openStaging({ folder, buckets: 1, bufferBytes: 200 });
    const counts = (n: number) => ({
      account_id: account(n),
      aggregation_period: 'ONE_DAY',
      start_date: '2026-11-01',
      job_count: n,
    });
    for (let n = 0; n < 10; n += 1) {
      await staging.stage(copyJobs, [job(n, 1)], 'jobs');
      await staging.stage(copyJobSummaries, [counts(n)], 'counts');
    }
    const bytes = staging.bytes();
    const jobs = await staging.rotate(copyJobs);
    expect([...(await staged(jobs)).values()].map((rows) => rows.length)).toEqual([10]);
    expect(staging.bytes()).toBeLessThan(bytes);
    await jobs.remove();
    await staging.stage(copyJobSummaries, [counts(10)], 'counts');
    const rest = await staging.rotate();
    expect(rest.parts.map(({ table }) => table.name)).toEqual(['copy_job_summaries']);
    expect([...(await staged(rest)).values()].map((rows) => rows.length)).toEqual([11]);
    expect(staging.bytes()).toBe(0);
    await rest.remove();
    expect(await readdir(folder)).toEqual([]);
  });

  it('puts each row once, into the file of its table, partition and bucket', async () => {
    const staging = openStaging({ folder, buckets: 3, bufferBytes: 500 });
    const rows = Array.from({ length: 60 }, (_, n) => job(n, 1 + (n % 4)));
    for (let at = 0; at < rows.length; at += 7)
      await staging.stage(copyJobs, rows.slice(at, at + 7), `origin ${at % 2}`);
    await staging.stage(
      copyJobSummaries,
      [{ account_id: account(1), aggregation_period: 'ONE_DAY', start_date: '2026-11-01', job_count: 2 }],
      'summaries',
    );
    const batch = await staging.rotate();
    const found = await staged(batch);
    expect([...found.keys()]).toEqual([...found.keys()].sort());
    expect([...found.values()].flat()).toHaveLength(61);
    for (const part of batch.parts) {
      for (const row of found.get(part.key) ?? [])
        expect(bucketOf(String(row.account_id), 3)).toBe(part.bucket);
      expect(found.get(part.key)).toHaveLength(part.rows);
    }
    const days = new Map(rows.map((row) => [row.copy_job_id, row.creation_date]));
    for (const part of batch.parts.filter(({ table }) => table === copyJobs)) {
      expect(part.origins.size).toBeGreaterThan(0);
      for (const row of found.get(part.key) ?? []) {
        expect(days.get(String(row.copy_job_id))).toBe(part.partition.creation_date);
      }
    }
  });

  it('writes no nulls, no derived columns and no partition columns', async () => {
    const staging = openStaging({ folder, buckets: 1 });
    const text = 'é 😀 \u2028 "quoted"\n';
    await staging.stage(copyJobs, [job(1, 1, { status_message: text, creation_time: -1 })], 'a');
    const [rows] = (await staged(await staging.rotate())).values();
    expect(rows).toEqual([
      { copy_job_id: 'job-1', account_id: account(1), status_message: text, creation_time: -1 },
    ]);
  });

  it('keeps batches apart while rows go on coming', async () => {
    const staging = openStaging({ folder, buckets: 1, bufferBytes: 200 });
    const rotated: Promise<StagedBatch>[] = [];
    await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        await staging.stage(copyJobs, [job(n, 1)], 'a');
        if (n % 10 === 9) rotated.push(staging.rotate());
      }),
    );
    rotated.push(staging.rotate());
    const batches = await Promise.all(rotated);
    const ids = (await Promise.all(batches.map(staged))).flatMap((batch) => [...batch.values()].flat());
    expect(ids.map(({ copy_job_id }) => copy_job_id).sort()).toEqual(
      Array.from({ length: 40 }, (_, n) => `job-${n}`).sort(),
    );
    expect(staging.bytes()).toBe(0);
    for (const batch of batches) await batch.remove();
    expect(await readdir(folder)).toEqual([]);
  });

  it('reserves what it writes, and gives it back when the batch is removed', async () => {
    const scratch = await openScratch({ parent: folder, runId: 'one', limitBytes: 10_000 });
    const staging = openStaging({
      folder: scratch.folder,
      buckets: 1,
      bufferBytes: 100,
      reserve: scratch.reserve,
    });
    await staging.stage(copyJobs, [job(1, 1), job(2, 2)], 'a');
    const batch = await staging.rotate();
    const bytes = batch.parts.reduce((sum, part) => sum + part.bytes, 0);
    expect(scratch.bytes()).toBe(bytes);
    await batch.remove();
    expect(scratch.bytes()).toBe(0);
    await scratch.remove();
  });

  it('packs what a batch gets once it is large, and counts what is on disk', async () => {
    const scratch = await openScratch({ parent: folder, runId: 'one', limitBytes: 10_000_000 });
    const reserve = (bytes: number) => scratch.reserve(bytes);
    const staging = openStaging({ folder, buckets: 1, bufferBytes: 2_000, packFrom: 20_000, reserve });
    const rows = Array.from({ length: 2_000 }, (_, n) => job(n, 1 + (n % 2), { resource_name: `ü ${n}` }));
    for (let at = 0; at < rows.length; at += 10) {
      await staging.stage(copyJobs, rows.slice(at, at + 10), 'origin');
    }
    expect(staging.bytes()).toBeLessThan(100_000);
    const batch = await staging.rotate();
    const found = [...(await staged(batch)).values()].flat();
    const order = (a: Record<string, unknown>, b: Record<string, unknown>) =>
      Number(String(a.copy_job_id).slice(4)) - Number(String(b.copy_job_id).slice(4));
    expect(found.sort(order)).toEqual(
      rows.map(({ copy_job_id, account_id, resource_name }) => ({ copy_job_id, account_id, resource_name })),
    );
    for (const { files, bytes, rows: count } of batch.parts) {
      expect(files.map((file) => file.endsWith('.zst'))).toEqual([false, true]);
      expect(count).toBe(1_000);
      expect(bytes).toBeGreaterThan(60_000);
    }
    const sizes = batch.parts.flatMap(({ files }) => files.map(async (file) => (await stat(file)).size));
    expect(scratch.bytes()).toBe((await Promise.all(sizes)).reduce((sum, size) => sum + size, 0));
    await batch.remove();
    expect(scratch.bytes()).toBe(0);
    await scratch.remove();
  });

  describe('keeps the digests of the rows of a part', () => {
    const rows = Array.from({ length: 90 }, (_, n) => job(n, 1 + (n % 3), { observed_at: 1_000 + n }));

    async function stagedWith(options: Partial<StagingOptions>): Promise<StagedBatch> {
      const staging = openStaging({ folder, buckets: 1, ...options });
      for (let at = 0; at < rows.length; at += 10)
        await staging.stage(copyJobs, rows.slice(at, at + 10), 'a');
      return await staging.rotate();
    }

    async function digestsIn({ digests }: StagedPart): Promise<readonly number[] | null> {
      const pieces = digests.pieces();
      if (pieces === null) return null;
      const entries: number[] = [];
      for await (const piece of pieces) entries.push(...piece);
      return entries;
    }

    it.each([
      ['memory', {}, 0],
      ['a file, once they are many', { digestBytes: 1_000 }, 3],
    ])('in %s', async (_, options, files) => {
      const scratch = await openScratch({ parent: folder, runId: 'one', limitBytes: 1_000_000 });
      const batch = await stagedWith({
        ...options,
        folder: scratch.folder,
        reserve: (bytes) => scratch.reserve(bytes),
      });
      const names = (await readdir(join(scratch.folder, 'batch-1'))).filter((name) => /digests/.test(name));
      expect(names.length).toBeLessThanOrEqual(files);
      expect(names.length > 0).toBe(files > 0);
      for (const part of batch.parts) {
        const lines = Buffer.concat(await Promise.all(part.files.map((file) => readFile(file))));
        expect(await digestsIn(part)).toEqual(digestsInLines(copyJobs, lines));
        const times = rowsIn(copyJobs, lines).map(({ observed_at: time }) => Number(time));
        expect(part.digests.latest).toBe(Math.max(...times));
      }
      await batch.remove();
      expect(scratch.bytes()).toBe(0);
      await scratch.remove();
    });

    it('or drops them if they cannot be written, and keeps the rows', async () => {
      const reserve = (bytes: number) => {
        if (bytes < 1_000) throw new ScratchError('Scratch is full', 'Make room.');
        return () => undefined;
      };
      const batch = await stagedWith({ digestBytes: 500, reserve });
      const found = [...(await staged(batch)).values()].flat();
      expect(found).toHaveLength(rows.length);
      expect(await Promise.all(batch.parts.map(digestsIn))).toContain(null);
      expect((await readdir(join(folder, 'batch-1'))).filter((name) => /digests/.test(name))).toEqual([]);
    });
  });

  describe('with an engine that makes typed rows', () => {
    const rows = Array.from({ length: 400 }, (_, n) => job(n, 1 + (n % 2), { resource_name: `ü ${n}` }));
    const ids = (lines: Buffer) => rowsIn(copyJobs, lines).map(({ copy_job_id: id }) => id);
    const idsIn = async (files: readonly string[]) =>
      (await Promise.all(files.map((file) => readFile(file)))).flatMap(ids).sort();
    const all = rows.map(({ copy_job_id: id }) => id).sort();

    /** The bytes that are on disk. */
    const onDisk = async () => {
      const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(
        (entry) => entry.isFile() && !entry.name.startsWith('.'),
      );
      const sizes = files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size);
      return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    };

    async function stagedWith(
      typed: NonNullable<StagingOptions['typed']>,
      more: Partial<StagingOptions> = {},
      after: (folder: string) => Promise<unknown> = async () => undefined,
    ) {
      const scratch = await openScratch({ parent: folder, runId: 'one', limitBytes: 10_000_000 });
      const reserve = (bytes: number) => scratch.reserve(bytes);
      const options = {
        folder: scratch.folder,
        buckets: 1,
        bufferBytes: 1_000,
        fullBytes: 3_000,
        reserve,
        typed,
      };
      const staging = openStaging({ ...options, ...more });
      for (let at = 0; at < rows.length; at += 10) {
        await staging.stage(copyJobs, rows.slice(at, at + 10), 'origin');
        await after(scratch.folder);
      }
      const batch = await staging.rotate();
      expect(scratch.bytes()).toBe(await onDisk());
      const files = batch.parts.flatMap((part) => part.files);
      return { scratch, staging, batch, files };
    }

    /** What an engine does, but the rows stay readable here. */
    const copies: NonNullable<StagingOptions['typed']> = async ({ lines, output, rows, bytes }) => {
      expect((await stat(lines)).size).toBe(bytes);
      expect(ids(await readFile(lines))).toHaveLength(rows);
      await copyFile(lines, output);
      return true;
    };

    /** Resolves when the files that are full have become typed rows. */
    const noneIsFull = (folder: string) =>
      vi.waitFor(async () => {
        const names = (await readdir(join(folder, 'batch-1')).catch(() => [])).filter((name) =>
          name.endsWith('.csv'),
        );
        for (const name of names)
          expect((await stat(join(folder, 'batch-1', name))).size).toBeLessThan(3_000);
      });

    it('has each row once, typed or as a line, and counts what is on disk', async () => {
      const asked: boolean[] = [];
      const { batch, files, scratch, staging } = await stagedWith(
        async (request) => {
          asked.push(request.compact);
          return await copies(request);
        },
        { packFrom: 20_000 },
        noneIsFull,
      );
      expect(await idsIn(files)).toEqual(all);
      const typed = files.filter((file) => file.endsWith('.parquet'));
      expect(typed.length).toBeGreaterThan(4);
      expect(files.every((file) => /\.(parquet|csv)$/.test(file))).toBe(true);
      expect(new Set(asked)).toEqual(new Set([false, true]));
      for (const part of batch.parts) expect(part.rows).toBe(200);
      await staging.close();
      await batch.remove();
      expect(scratch.bytes()).toBe(0);
      await scratch.remove();
    });

    it('keeps the lines of an engine that fails or declines, and packs what follows', async () => {
      let asked = 0;
      const fails: NonNullable<StagingOptions['typed']> = async ({ output }) => {
        await writeFile(output, 'half');
        asked += 1;
        throw new Error('the disk is full');
      };
      const declines = async () => {
        asked += 1;
        return false;
      };
      for (const typed of [fails, declines]) {
        asked = 0;
        let stagedTimes = 0;
        const afterTen = async () => {
          stagedTimes += 1;
          if (stagedTimes === 10) await vi.waitFor(() => expect(asked).toBeGreaterThan(0));
        };
        const { batch, files, scratch } = await stagedWith(typed, { packFrom: 10_000 }, afterTen);
        expect(files.filter((file) => file.endsWith('.parquet'))).toEqual([]);
        const found = [...(await staged(batch)).values()].flat();
        expect(found.map(({ copy_job_id: id }) => id).sort()).toEqual(all);
        expect(files.some((file) => file.endsWith('.zst'))).toBe(true);
        await batch.remove();
        expect(scratch.bytes()).toBe(0);
        await scratch.remove();
      }
    });

    it('leaves lines alone in a small batch, and in a small part', async () => {
      const limited = await stagedWith(copies, { typeFrom: 1e9 });
      expect(limited.files.filter((file) => file.endsWith('.parquet'))).toEqual([]);
      expect(await idsIn(limited.files)).toEqual(all);
      await limited.scratch.remove();
      const small = await stagedWith(copies, { fullBytes: 1e6 });
      expect(small.files).toHaveLength(2);
      expect(await idsIn(small.files)).toEqual(all);
      await small.scratch.remove();
    });
  });

  it('loses nothing that was staged before scratch was full', async () => {
    let room = 1;
    const reserve = () => {
      if (room === 0) throw new ScratchError('Scratch is full', 'Make room.');
      room -= 1;
      return () => undefined;
    };
    const staging = openStaging({ folder, buckets: 1, bufferBytes: 10, reserve });
    await staging.stage(copyJobs, [job(1, 1)], 'a');
    await expect(staging.stage(copyJobs, [job(2, 1)], 'a')).rejects.toThrow(ScratchError);
    room = 10;
    const [rows] = (await staged(await staging.rotate())).values();
    expect(rows?.map(({ copy_job_id }) => copy_job_id)).toEqual(['job-1', 'job-2']);
  });

  it('gives back the memory of what it could not write', async () => {
    let full = true;
    let writes = 0;
    const reserve = () => {
      if (full) throw new ScratchError('Scratch is full', 'Make room.');
      writes += 1;
      return () => undefined;
    };
    const staging = openStaging({ folder, buckets: 1, bufferBytes: 200, reserve });
    await staging.stage(copyJobs, [job(1, 1), job(2, 1)], 'a');
    expect((await staging.rotate()).lost).toHaveLength(1);
    full = false;
    await staging.stage(copyJobs, [job(3, 1), job(4, 1)], 'a');
    expect(writes).toBe(0);
    expect((await staged(await staging.rotate())).size).toBe(1);
  });

  it('says that the disk is full when it is, and loses no row by it', async () => {
    await mkdir(join(folder, 'batch-1'));
    await symlink('/dev/full', join(folder, 'batch-1', '0.csv'));
    const staging = openStaging({ folder, buckets: 1, bufferBytes: 10 });
    await expect(staging.stage(copyJobs, [job(1, 1)], 'a')).rejects.toThrow(/ENOSPC.*--scratch/);
    await rm(join(folder, 'batch-1', '0.csv'));
    await staging.stage(copyJobs, [job(2, 1)], 'a');
    const [rows] = (await staged(await staging.rotate())).values();
    expect(rows?.map(({ copy_job_id }) => copy_job_id)).toEqual(['job-1', 'job-2']);
  });

  it('turns a folder that cannot be written into a ScratchError that says which', async () => {
    const staging = openStaging({ folder: '/dev/null/x', buckets: 1, bufferBytes: 10 });
    await expect(staging.stage(copyJobs, [job(1, 1)], 'a')).rejects.toThrow(ScratchError);
    const { parts, lost } = await staging.rotate();
    expect(parts).toEqual([]);
    expect(lost).toMatchObject([{ table: copyJobs, origins: new Set(['a']), error: { exitCode: 74 } }]);
    expect(String(lost[0]?.error)).toContain('/dev/null/x');
  });
});
