import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Published } from '../../src/lake/publish.ts';
import { type FailedPart, Waves } from '../../src/lake/publish-batches.ts';
import { openScratch, type Scratch } from '../../src/lake/scratch.ts';
import { openStaging, type StagedPart } from '../../src/lake/staging.ts';
import { ScratchError } from '../../src/shared/errors.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import type { Row } from '../../src/tables/table.ts';

const job = (n: number, day: number): Row => ({
  copy_job_id: `job-${n}`,
  account_id: '111122223333',
  creation_date: `2026-11-0${day}`,
});
const published = (key: string): Published => ({
  key,
  outcome: { changed: false, rows: 1, added: 0, updated: 0, unchanged: 1, removed: 0, stateChanges: [] },
  written: null,
});

describe('waves', () => {
  let parent: string;
  let scratch: Scratch;
  let waves: Waves | undefined;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'bce-waves-'));
    scratch = await openScratch({ parent, runId: 'one', limitBytes: 1_000_000 });
  });
  afterEach(async () => {
    await waves?.settle();
    await scratch.remove();
    await rm(parent, { recursive: true, force: true });
  });

  /** Waves over a real scratch folder, and all that came of them. */
  function open(
    change: {
      readonly bytes?: number;
      readonly everyMs?: number;
      readonly opensInMs?: () => number;
      /** How often room is claimed before there is none, for one claim. */
      readonly fullAt?: number;
      readonly publish?: (part: StagedPart) => Promise<void>;
      readonly remove?: () => Promise<void>;
    } = {},
  ) {
    const told = {
      rows: [] as string[],
      waves: [] as number[],
      failed: [] as FailedPart[],
      leftBehind: [] as unknown[],
    };
    let claims = 0;
    const reserve = (bytes: number) => {
      claims += 1;
      if (claims === change.fullAt) throw new ScratchError('Scratch is full', 'Make room.');
      return scratch.reserve(bytes);
    };
    const { remove } = change;
    const staging = openStaging({ folder: scratch.folder, buckets: 1, reserve });
    waves = new Waves(
      remove === undefined
        ? staging
        : { ...staging, rotate: async () => ({ ...(await staging.rotate()), remove }) },
      {
        publish: async (part) => {
          await change.publish?.(part);
          for (const file of part.files) {
            const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
            told.rows.push(...lines.map((line) => String(JSON.parse(line).copy_job_id)));
          }
          return published(part.key);
        },
        onPublished: () => undefined,
        onFailed: (failed) => told.failed.push(failed),
        onWave: (parts) => told.waves.push(parts),
        onLeftBehind: (error) => told.leftBehind.push(error),
      },
      {
        bytes: change.bytes ?? 1_000_000,
        everyMs: change.everyMs ?? 3_600_000,
        concurrency: 2,
        now: () => performance.now(),
        opensInMs: change.opensInMs ?? (() => 0),
      },
    );
    return { told, waves };
  }

  const until = async (condition: () => boolean) => {
    for (let turn = 0; turn < 500 && !condition(); turn++) await sleep(10);
    expect(condition()).toBe(true);
  };

  it('tells whose rows could not be written out at the end, publishes the others, and keeps no room', async () => {
    const { told, waves } = open({ fullAt: 1 });
    await waves.stage(copyJobs, [job(1, 1)], 'a');
    await waves.stage(copyJobs, [job(2, 1), job(3, 2)], 'b');
    await waves.finish();
    expect(told.failed.map(({ table, origins }) => [table.name, [...origins]])).toEqual([
      ['copy_jobs', ['a', 'b']],
    ]);
    expect(told.failed[0]?.error).toBeInstanceOf(ScratchError);
    expect(told.rows).toEqual(['job-3']);
    expect(told.waves).toEqual([2]);
    expect(scratch.bytes()).toBe(0);
  });

  it('tells the same of a wave that began while rows were still coming', async () => {
    const { told, waves } = open({ fullAt: 1, bytes: 1 });
    await waves.stage(copyJobs, [job(1, 1)], 'a');
    await waves.stage(copyJobs, [job(2, 1)], 'b');
    await waves.finish();
    expect(told.failed.map(({ origins }) => [...origins])).toEqual([['a']]);
    expect(told.rows).toEqual(['job-2']);
    expect(scratch.bytes()).toBe(0);
  });

  it('tells whose part could not be published, and publishes the others', async () => {
    const { told, waves } = open({
      publish: async ({ partition }) => {
        if (partition.creation_date === '2026-11-01') throw new Error('no');
      },
    });
    await waves.stage(copyJobs, [job(1, 1), job(2, 2)], 'a');
    await waves.finish();
    expect(told.failed.map(({ error }) => error)).toEqual([new Error('no')]);
    expect(told.rows).toEqual(['job-2']);
    expect(scratch.bytes()).toBe(0);
  });

  it('starts no wave by time while nothing may be published, and one with all that was staged when it may', async () => {
    let asked = 0;
    let isOpen = false;
    const opensInMs = () => {
      asked += 1;
      return isOpen ? 0 : 5;
    };
    const { told, waves } = open({ everyMs: 5, opensInMs });
    await waves.stage(copyJobs, [job(1, 1)], 'a');
    await until(() => asked >= 2);
    expect(told.waves).toEqual([]);
    await waves.stage(copyJobs, [job(2, 1)], 'a');
    isOpen = true;
    await until(() => told.rows.length === 2);
    expect(told.waves).toEqual([1]);
  });

  it('publishes when the time has come, though no page comes any more', async () => {
    const { told, waves } = open({ everyMs: 30 });
    await sleep(100);
    await waves.stage(copyJobs, [job(1, 1)], 'a');
    await until(() => told.rows.length === 1);
    await waves.stage(copyJobs, [job(2, 1)], 'a');
    await until(() => told.rows.length === 2);
    expect(told.waves).toEqual([1, 1]);
  });

  it('lets rows wait when a wave is full before the one before it is out', async () => {
    const gate = Promise.withResolvers<void>();
    const { told, waves } = open({ bytes: 1, publish: () => gate.promise });
    await waves.stage(copyJobs, [job(1, 1)], 'a');
    await waves.stage(copyJobs, [job(2, 1)], 'a');
    let staged = false;
    const third = waves.stage(copyJobs, [job(3, 1)], 'a').then(() => {
      staged = true;
    });
    await sleep(50);
    expect(staged).toBe(false);
    gate.resolve();
    await third;
    await waves.finish();
    expect(told.rows.sort()).toEqual(['job-1', 'job-2', 'job-3']);
  });

  it('waits for the wave that is under way when a run is given up, and begins no other', async () => {
    const gate = Promise.withResolvers<void>();
    const { told, waves } = open({ bytes: 1, everyMs: 30, publish: () => gate.promise });
    await waves.stage(copyJobs, [job(1, 1)], 'a');
    await waves.stage(copyJobs, [job(2, 1)], 'a');
    const settled = waves.settle();
    gate.resolve();
    await settled;
    expect(told.rows).toEqual(['job-1']);
    await sleep(100);
    expect(told.waves).toEqual([1]);
  });

  it('does not take rows for unpublished when only their files stay behind', async () => {
    const busy = new Error('busy');
    const { told, waves } = open({ remove: () => Promise.reject(busy) });
    await waves.stage(copyJobs, [job(1, 1)], 'a');
    await waves.finish();
    expect(told.failed).toEqual([]);
    expect(told.rows).toEqual(['job-1']);
    expect(told.leftBehind).toEqual([busy]);
  });

  it('ends with what went wrong when the telling itself went wrong', async () => {
    const { waves, told } = open({ publish: () => Promise.reject(new Error('no')) });
    told.failed.push = () => {
      throw new Error('nobody heard');
    };
    await waves.stage(copyJobs, [job(1, 1)], 'a');
    await expect(waves.finish()).rejects.toThrow('nobody heard');
  });
});
