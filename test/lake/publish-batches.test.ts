import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PublishBatches } from '../../src/lake/publish-batches.ts';
import { openScratch, type Scratch } from '../../src/lake/scratch.ts';
import { openStaging, type StagedBatch } from '../../src/lake/staging.ts';
import { copyJobSummaries } from '../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import type { Row } from '../../src/tables/table.ts';
import { rowsIn } from '../support/staged-rows.ts';

const job = (n: number, day: number): Row => ({
  copy_job_id: `job-${n}`,
  account_id: '111122223333',
  creation_date: `2026-11-0${day}`,
});

describe('batches', () => {
  let parent: string;
  let scratch: Scratch;
  let batches: PublishBatches | undefined;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'bce-batches-'));
    scratch = await openScratch({ parent, runId: 'one', limitBytes: 1_000_000 });
  });
  afterEach(async () => {
    await batches?.close();
    await scratch.remove();
    await rm(parent, { recursive: true, force: true });
  });

  /** Batches over a real scratch folder, and what was published of them. */
  function open(
    change: {
      readonly bytes?: number;
      readonly everyMs?: number;
      readonly opensInMs?: () => number;
      readonly publish?: (batch: StagedBatch) => Promise<void>;
    } = {},
  ) {
    const published = { rows: [] as string[], parts: [] as number[] };
    const staging = openStaging({
      folder: scratch.folder,
      buckets: 1,
      reserve: (bytes) => scratch.reserve(bytes),
    });
    const publish = async (batch: StagedBatch) => {
      published.parts.push(batch.parts.length);
      await change.publish?.(batch);
      for (const { table, files } of batch.parts) {
        for (const file of files) {
          published.rows.push(
            ...rowsIn(table, await readFile(file)).map(({ copy_job_id: id = 'a count' }) => String(id)),
          );
        }
      }
      await batch.remove();
    };
    batches = new PublishBatches(staging, publish, {
      bytes: change.bytes ?? 1_000_000,
      everyMs: change.everyMs ?? 3_600_000,
      now: () => performance.now(),
      opensInMs: change.opensInMs ?? (() => 0),
    });
    return { published, batches };
  }

  const until = async (condition: () => boolean) => {
    for (let turn = 0; turn < 500 && !condition(); turn++) await sleep(10);
    expect(condition()).toBe(true);
  };

  it('publishes one table while another is still staged, and the other one at the end', async () => {
    const count = { account_id: '111122223333', aggregation_period: 'ONE_DAY', start_date: '2026-11-01' };
    const keys: string[] = [];
    const { published, batches } = open({
      publish: async ({ parts }) => void keys.push(...parts.map(({ table }) => table.name)),
    });
    await batches.stage(copyJobs, [job(1, 1), job(2, 2)], 'a');
    await batches.stage(copyJobSummaries, [{ ...count, job_count: 1 }], 'b');
    await batches.finishTable(copyJobs);
    await until(() => published.rows.length === 2);
    await batches.stage(copyJobSummaries, [{ ...count, job_count: 2 }], 'b');
    await batches.finish();
    expect(published.rows.sort()).toEqual(['a count', 'a count', 'job-1', 'job-2']);
    expect(published.parts).toEqual([2, 1]);
    expect(keys).toEqual(['copy_jobs', 'copy_jobs', 'copy_job_summaries']);
  });

  it('publishes one table after the batch that is under way', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { published, batches } = open({ bytes: 100, publish: () => held });
    await batches.stage(copyJobs, [job(1, 1), job(2, 1), job(3, 1), job(4, 1)], 'a');
    await until(() => published.parts.length === 1);
    await batches.stage(copyJobs, [job(5, 2)], 'a');
    const finishing = batches.finishTable(copyJobs);
    release();
    await finishing;
    await until(() => published.rows.length === 5);
    expect(published.parts).toEqual([1, 1]);
  });

  it('starts no batch by time while nothing may be published, and one with all that was staged when it may', async () => {
    let asked = 0;
    let isOpen = false;
    const opensInMs = () => {
      asked += 1;
      return isOpen ? 0 : 5;
    };
    const { published, batches } = open({ everyMs: 5, opensInMs });
    await batches.stage(copyJobs, [job(1, 1)], 'a');
    await until(() => asked >= 2);
    expect(published.parts).toEqual([]);
    await batches.stage(copyJobs, [job(2, 1)], 'a');
    isOpen = true;
    await until(() => published.rows.length === 2);
    expect(published.parts).toEqual([1]);
  });

  it('publishes when the time has come, though no page comes any more', async () => {
    const { published, batches } = open({ everyMs: 30 });
    await sleep(100);
    await batches.stage(copyJobs, [job(1, 1)], 'a');
    await until(() => published.rows.length === 1);
    await batches.stage(copyJobs, [job(2, 1)], 'a');
    await until(() => published.rows.length === 2);
    expect(published.parts).toEqual([1, 1]);
  });

  it('lets rows wait when a batch is full before the one before it is out', async () => {
    const gate = Promise.withResolvers<void>();
    const { published, batches } = open({ bytes: 1, publish: () => gate.promise });
    await batches.stage(copyJobs, [job(1, 1)], 'a');
    await batches.stage(copyJobs, [job(2, 1)], 'a');
    let staged = false;
    const third = batches.stage(copyJobs, [job(3, 1)], 'a').then(() => {
      staged = true;
    });
    await sleep(50);
    expect(staged).toBe(false);
    gate.resolve();
    await third;
    await batches.finish();
    expect(published.rows.sort()).toEqual(['job-1', 'job-2', 'job-3']);
  });

  it('waits for the batch that is being published when a run is given up, and begins no other', async () => {
    const gate = Promise.withResolvers<void>();
    const { published, batches } = open({ bytes: 1, everyMs: 30, publish: () => gate.promise });
    await batches.stage(copyJobs, [job(1, 1)], 'a');
    await batches.stage(copyJobs, [job(2, 1)], 'a');
    const closed = batches.close();
    gate.resolve();
    await closed;
    expect(published.rows).toEqual(['job-1']);
    await sleep(100);
    expect(published.parts).toEqual([1]);
  });

  it('ends with what went wrong when a batch could not be dealt with', async () => {
    const { batches } = open({ bytes: 1, publish: () => Promise.reject(new Error('no memory')) });
    await batches.stage(copyJobs, [job(1, 1)], 'a');
    await expect(batches.finish()).rejects.toThrow('no memory');
    await expect(batches.stage(copyJobs, [job(2, 1)], 'a')).rejects.toThrow('no memory');
  });
});
