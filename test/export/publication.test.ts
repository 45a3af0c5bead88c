import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mergesAtOnce } from '../../src/export/open-run.ts';
import { Publication } from '../../src/export/publication.ts';
import { KeptDigests } from '../../src/lake/kept-digests.ts';
import type { Published } from '../../src/lake/publish.ts';
import { PublishBatches } from '../../src/lake/publish-batches.ts';
import { openScratch, type Scratch } from '../../src/lake/scratch.ts';
import { openStaging, type StagedPart } from '../../src/lake/staging.ts';
import { DeadlineReached } from '../../src/shared/abort.ts';
import { ScratchError } from '../../src/shared/errors.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import type { Row } from '../../src/tables/table.ts';
import { rowsIn } from '../support/staged-rows.ts';

const job = (n: number, day: number): Row => ({
  copy_job_id: `job-${n}`,
  account_id: '111122223333',
  creation_date: `2026-11-0${day}`,
});

/** As if the part had been written. */
const published = ({ key, rows }: StagedPart): Published => ({
  key,
  outcome: { changed: true, rows, added: rows, updated: 0, unchanged: 0, removed: 0 },
  read: null,
  written: { bytes: 7, sha256: 'aa', etagBefore: null, etagAfter: 'b' },
  etag: 'b',
  latest: null,
});

describe('what became of staged rows', () => {
  let parent: string;
  let scratch: Scratch;
  let batches: PublishBatches | undefined;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'bce-publication-'));
    scratch = await openScratch({ parent, runId: 'one', limitBytes: 1_000_000 });
  });
  afterEach(async () => {
    await batches?.close();
    await scratch.remove();
    await rm(parent, { recursive: true, force: true });
  });

  function open(
    change: {
      readonly bytes?: number;
      /** How often room is claimed before there is none, for one claim. */
      readonly fullAt?: number;
      readonly publish?: (part: StagedPart) => Promise<void>;
      readonly remove?: () => Promise<void>;
      readonly onDone?: () => void;
    } = {},
  ) {
    const told = { rows: [] as string[], parts: [] as number[], lines: [] as { msg: string }[] };
    let claims = 0;
    const reserve = (bytes: number) => {
      claims += 1;
      if (claims === change.fullAt) throw new ScratchError('Scratch is full', 'Make room.');
      return scratch.reserve(bytes);
    };
    const publication = new Publication({
      tables: ['copy_jobs'],
      publish: async (part) => {
        await change.publish?.(part);
        for (const file of part.files) {
          const rows = rowsIn(copyJobs, await readFile(file));
          told.rows.push(...rows.map(({ copy_job_id: id }) => String(id)));
        }
        return published(part);
      },
      progress: {
        publishStarted: (parts) => void told.parts.push(parts),
        published: () => change.onDone?.(),
      },
      log: pino({}, { write: (line: string) => told.lines.push(JSON.parse(line)) }),
    });
    const { remove } = change;
    const staging = openStaging({ folder: scratch.folder, buckets: 1, reserve });
    batches = new PublishBatches(
      staging,
      (batch) => publication.publishBatch(remove === undefined ? batch : { ...batch, remove }),
      { bytes: change.bytes ?? 1_000_000, everyMs: 3_600_000, now: () => performance.now() },
    );
    return { told, batches, publication };
  }

  it('names the drains whose rows could not be written out at the end, publishes the others, and keeps no room', async () => {
    const { told, batches, publication } = open({ fullAt: 1 });
    await batches.stage(copyJobs, [job(1, 1)], 'a');
    await batches.stage(copyJobs, [job(2, 1), job(3, 2)], 'b');
    await batches.finish();
    expect([...publication.failed.keys()]).toEqual(['a', 'b']);
    expect(publication.failed.get('a')).toBeInstanceOf(ScratchError);
    expect(told.rows).toEqual(['job-3']);
    expect(told.parts).toEqual([2]);
    expect(scratch.bytes()).toBe(0);
  });

  it('names them too when the batch began while rows were still coming', async () => {
    const { told, batches, publication } = open({ fullAt: 1, bytes: 1 });
    await batches.stage(copyJobs, [job(1, 1)], 'a');
    await batches.stage(copyJobs, [job(2, 1)], 'b');
    await batches.finish();
    expect([...publication.failed.keys()]).toEqual(['a']);
    expect(told.rows).toEqual(['job-2']);
    expect(scratch.bytes()).toBe(0);
  });

  it('names the drains whose part could not be published, and publishes the other parts', async () => {
    const { told, batches, publication } = open({
      publish: async ({ partition }) => {
        if (partition.creation_date === '2026-11-01') throw new Error('no');
      },
    });
    await batches.stage(copyJobs, [job(1, 1), job(2, 2)], 'a');
    await batches.finish();
    expect([...publication.failed]).toEqual([['a', new Error('no')]]);
    expect(told.rows).toEqual(['job-2']);
    expect(publication.totals.copy_jobs).toMatchObject({ added: 1, parts_written: 1, bytes_written: 7 });
    expect(publication.written).toEqual([
      {
        key: 'copy_jobs/creation_date=2026-11-02/part-00000.parquet',
        rows: 1,
        bytes: 7,
        sha256: 'aa',
        sha256_before: null,
        etag_before: null,
        etag_after: 'b',
      },
    ]);
    expect(scratch.bytes()).toBe(0);
  });

  it('remembers a failure of a drain rather than that the run had to end', async () => {
    const reasons: Record<string, Error> = {
      '2026-11-01': new DeadlineReached(),
      '2026-11-02': new Error('no'),
      '2026-11-03': new DeadlineReached(),
    };
    const { batches, publication } = open({
      publish: ({ partition }) => Promise.reject(reasons[partition.creation_date ?? '']),
    });
    await batches.stage(copyJobs, [job(1, 1), job(2, 2), job(3, 3)], 'a');
    await batches.finish();
    expect([...publication.failed]).toEqual([['a', new Error('no')]]);
  });

  it('does not take rows for unpublished when only their files stay behind', async () => {
    const { told, batches, publication } = open({ remove: () => Promise.reject(new Error('busy')) });
    await batches.stage(copyJobs, [job(1, 1)], 'a');
    await batches.finish();
    expect(publication.failed.size).toBe(0);
    expect(told.rows).toEqual(['job-1']);
    expect(told.lines.map(({ msg }) => msg)).toContain('staged files could not be removed yet');
  });

  it('ends the run with what went wrong when noting a failure went wrong itself', async () => {
    const { batches } = open({
      publish: () => Promise.reject(new Error('no')),
      onDone: () => {
        throw new Error('nobody heard');
      },
    });
    await batches.stage(copyJobs, [job(1, 1)], 'a');
    await expect(batches.finish()).rejects.toThrow('nobody heard');
  });
});

it.each([
  ['twice as many small parts', 100, 2 * (mergesAtOnce + 2)],
  ['two more large parts', 5 * 2 ** 20, mergesAtOnce + 2],
])(
  'publishes %s at once as are merged at once, and the next one when one is done',
  async (_, bytes, atOnce) => {
    const under: (() => void)[] = [];
    const publication = new Publication({
      tables: ['copy_jobs'],
      publish: (part) =>
        new Promise((resolve) => {
          under.push(() => resolve(published(part)));
        }),
      progress: { publishStarted: () => undefined, published: () => undefined },
      log: pino({ level: 'silent' }),
    });
    const parts = Array.from({ length: 20 }, (_, at): StagedPart => {
      const key = `copy_jobs/part-${at}`;
      const digests = new KeptDigests('/nowhere');
      return {
        key,
        table: copyJobs,
        partition: {},
        bucket: 0,
        files: [],
        rows: 1,
        bytes,
        digests,
        origins: new Set(),
      };
    });
    const done = publication.publishBatch({ parts, lost: [], remove: async () => undefined });
    await turn();
    expect(under).toHaveLength(atOnce);
    under[0]?.();
    await turn();
    expect(under).toHaveLength(atOnce + 1);
    for (let at = 1; at < parts.length; at += 1) {
      under[at]?.();
      await turn();
    }
    await done;
    expect(publication.written.map(({ key }) => key)).toEqual(parts.map(({ key }) => key));
  },
);
