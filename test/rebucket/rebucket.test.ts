import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import { newRunId, writeBegin } from '../../src/ledger/runs.ts';
import { openSession } from '../../src/query/session.ts';
import { runRebucket } from '../../src/rebucket/rebucket.ts';
import { renderRebucket } from '../../src/rebucket/rebucket-report.ts';
import { parseRebucketSettings } from '../../src/rebucket/rebucket-settings.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { type LakeRow, readLake, readTable } from '../support/lake-reader.ts';
import { silentProgress } from '../support/silent-progress.ts';
import { told, verified } from '../verify/night-lake.ts';

const log = pino({ level: 'silent' });
let lab: Lab;
let lake: string;
let before: { readonly copy_jobs: readonly LakeRow[]; readonly copy_job_summaries: readonly LakeRow[] };

beforeAll(async () => {
  lab = await openLab({ accounts: 6, regions: 1, days: 1 });
  await lab.run();
  before = {
    copy_jobs: await readTable(lab.lake, 'copy_jobs'),
    copy_job_summaries: await readTable(lab.lake, 'copy_job_summaries'),
  };
});
afterAll(() => lab.close());
afterEach(() => rm(lake, { recursive: true, force: true }));

const settings = (buckets: number) => ({
  flags: { lake, buckets: String(buckets), scratch: join(lab.folder, 'scratch') },
  env: {},
  cwd: lab.folder,
  temporaryFolder: tmpdir(),
  readFile: (path: string) => readFileSync(path, 'utf8'),
});

function rebucket(
  buckets: number,
  onStep: (step: string) => Promise<void> = async () => undefined,
  more: Readonly<Record<string, string>> = {},
) {
  const { flags, ...rest } = settings(buckets);
  return runRebucket(parseRebucketSettings({ ...rest, flags: { ...flags, ...more } }), {
    log,
    progress: silentProgress,
    stopping: new AbortController().signal,
    programVersion: '0.0.0-test',
    localNow: () => lab.simulator.now(),
    onStep,
  });
}

class Killed extends Error {}

/** What `query` answers: how many rows, how many different jobs, and their sum. */
async function asked(): Promise<unknown> {
  const { flags: _, ...rest } = settings(1);
  const session = await openSession(
    {
      ...parseRebucketSettings({
        ...rest,
        flags: { lake, buckets: '1', scratch: join(lab.folder, 'scratch') },
      }),
      days: null,
    },
    { log, note: () => undefined, signal: new AbortController().signal, today: '2026-11-20' },
    new Set(['copy_jobs', 'copy_job_summaries']),
  );
  try {
    return await session.ask('every day', new AbortController().signal, async ({ connection }) => {
      const reader = await connection.runAndReadAll(
        `SELECT (SELECT count(*) || '/' || count(DISTINCT copy_job_id) FROM copy_jobs), (SELECT count(*) || '/' || sum(job_count) FROM copy_job_summaries)`,
      );
      return JSON.stringify(reader.getRowsJS());
    });
  } finally {
    await session.close();
  }
}

const sorted = (rows: readonly LakeRow[]) => rows.map((row) => JSON.stringify(row)).sort();
async function expectWhole(): Promise<void> {
  for (const table of ['copy_jobs', 'copy_job_summaries'] as const) {
    expect(sorted(await readTable(lake, table))).toEqual(sorted(before[table]));
  }
}

it('changes 1 bucket to 8, to 3 and back: each row stays as it is, and the next export goes on', async () => {
  lake = join(lab.folder, 'changed');
  await cp(lab.lake, lake, { recursive: true });
  for (const buckets of [8, 3, 1]) {
    const report = await rebucket(buckets);
    expect(report).toMatchObject({ exit_code: 0, to: buckets });
    await expectWhole();
    if (buckets === 8) expect(told(await verified(lake))).toEqual([]);
  }
  expect(await rebucket(1)).toMatchObject({ run_id: null });
  await rebucket(3);
  const unchanged = await lab.run({ lake });
  expect(unchanged.exit_code).toBe(0);
  expect(unchanged.tables).toMatchObject({ copy_jobs: { added: 0, updated: 0, parts_written: 0 } });
  expect(unchanged.checkpoint?.unexplained_parts).toEqual([]);
  await expectWhole();
  expect(told(await verified(lake))).toEqual([]);
});

it('says that there is no lake in a folder that does not exist, and makes none', async () => {
  lake = join(lab.folder, 'no-lake');
  await expect(rebucket(2)).rejects.toMatchObject({
    exitCode: 74,
    message: expect.stringMatching(/^There is no lake in .*no-lake: .*\. Check that --lake names/),
  });
  expect(existsSync(lake)).toBe(false);
});

it('asks for lake.json where only that is missing', async () => {
  lake = join(lab.folder, 'no-record');
  await cp(lab.lake, lake, { recursive: true });
  await rm(join(lake, '_ledger', 'lake.json'));
  await expect(rebucket(2)).rejects.toThrow(/ contains \S+, but no _ledger\/lake\.json/);
});

it('refuses a lake with a run from the future, and never dates its own run there', async () => {
  lake = join(lab.folder, 'from-the-future');
  await cp(lab.lake, lake, { recursive: true });
  const store = await openLocalStore({ folder: lake, create: true });
  const asOf = Date.UTC(2099, 0, 1);
  const as_of = new Date(asOf).toISOString();
  const caller = { account_id: '', arn: '' };
  const runId = newRunId(asOf, 0);
  await writeBegin(store, {
    format: 1,
    run_id: runId,
    as_of,
    started_at: as_of,
    program_version: '0.0.0-test',
    buckets: 1,
    caller,
    settings: { deadlineMs: 1 },
    plan: [],
  });
  await store.close();
  const lakeRecord = () => readFileSync(join(lake, '_ledger', 'lake.json'), 'utf8');
  const untouched = lakeRecord();
  await expect(rebucket(2)).rejects.toMatchObject({
    exitCode: 75,
    message: expect.stringMatching(
      new RegExp(
        `^The newest run in .*, _ledger/runs/2099-01-01/${runId}.begin.json, began at 2099-.*, but the clock of this machine says 2026-11-20T.*If that clock is wrong`,
      ),
    ),
  });
  expect(lakeRecord()).toBe(untouched);
  const report = await rebucket(2, undefined, { 'ignore-unfinished-runs': 'true' });
  // A run's id begins with its as-of.
  const dated = Number.parseInt(report.run_id?.replaceAll('-', '').slice(0, 12) ?? '', 16);
  expect(new Date(dated).toISOString()).toMatch(/^2026-11-20T/);
  await expectWhole();
});

it('removes no part that somebody changed after its rows were read', async () => {
  lake = join(lab.folder, 'written-meanwhile');
  await cp(lab.lake, lake, { recursive: true });
  await rebucket(8);
  const key = readdirSync(join(lake, 'copy_jobs'), { recursive: true, encoding: 'utf8' }).find((name) =>
    /part-0000[3-7]\.parquet$/.test(name),
  );
  const part = join(lake, 'copy_jobs', String(key));
  const merged = Buffer.from('what an export of before merged meanwhile');
  const refused = rebucket(3, async (step) => {
    if (step === 'switched lake.json') writeFileSync(part, merged);
  });
  await expect(refused).rejects.toThrow(
    new RegExp(`^copy_jobs/${key} in .* was changed while rebucket was at work: .*Stop whatever writes`),
  );
  expect(readFileSync(part)).toEqual(merged);
});

it.each([
  [1, 'The lake ./lake has 1 bucket: nothing to do.\n'],
  [8, 'The lake ./lake has 8 buckets: nothing to do.\n'],
])('counts in the singular too: %i', (to, text) => {
  const report = { exit_code: 0, lake: './lake', from: to, to, run_id: null } as const;
  const none = { partitions: 0, rows: 0, parts_written: 0, parts_removed: 0 };
  expect(renderRebucket({ ...report, ...none })).toBe(text);
});

it('goes on where it stopped, whatever the step; query is exact at each, and Athena misses no row', async () => {
  lake = join(lab.folder, 'killed');
  await cp(lab.lake, lake, { recursive: true });
  const whole = await asked();
  const ids = new Set(before.copy_jobs.map(({ copy_job_id: id }) => String(id)));
  for (const buckets of [8, 3]) {
    for (let kills = 0; ; kills += 1) {
      let steps = 0;
      const ended = await rebucket(buckets, async (step) => {
        steps += 1;
        // One, two, three or four steps further each time.
        if (steps === 1 + (kills % 4)) throw new Killed(step);
      }).then(
        () => true,
        (error: unknown) => {
          if (!(error instanceof Killed)) throw error;
          return false;
        },
      );
      expect(await asked()).toBe(whole);
      const raw = await readTable(lake, 'copy_jobs');
      expect(new Set(raw.map(({ copy_job_id: id }) => String(id)))).toEqual(ids);
      if (ended) break;
      expect(kills).toBeLessThan(40);
      if (kills === 0) {
        await expect(lab.run({ lake })).rejects.toMatchObject({ exitCode: 75 });
        await expect(rebucket(5)).rejects.toMatchObject({ exitCode: 64 });
      }
    }
    await expectWhole();
  }
  expect((await readLake(lake)).copy_jobs.size).toBe(ids.size);
  expect(told(await verified(lake))).toEqual([]);
});
