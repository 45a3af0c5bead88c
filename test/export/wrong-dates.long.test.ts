import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { v7 } from 'uuid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Flags, type Lab, openLab } from '../support/lab.ts';
import { readTruth } from '../support/truth.ts';

const hour = 3_600_000;
const day = 24 * hour;

let lab: Lab;
beforeEach(async () => {
  // The simulator's clock is not this machine's: AWS's witnesses have to outvote it in every test here.
  lab = await openLab({ accounts: 2, regions: 2, jobsPerDay: 3 });
});
afterEach(() => lab.close());

const night = async (flags: Flags = {}) => {
  await lab.simulator.advance(day);
  return await lab.run(flags);
};

/** One answer of STS to each night's first question. */
const wrongSts = (ms: number) =>
  lab.simulator.addFaults([{ kind: 'wrong-date', api: 'GetCallerIdentity', ms, count: 1 }]);

const observed = async (): Promise<number[]> =>
  (await Promise.all(['copy_jobs', 'copy_job_summaries'].map((table) => lab.table(table))))
    .flat()
    .map((row) => Number(row.observed_at));

describe('one wrong Date from STS', () => {
  it('40 days ahead costs nothing, neither that night nor in the 36 days after it', async () => {
    await lab.run();
    wrongSts(40 * day);
    // Every third night, so that each run still reads what AWS has not forgotten.
    for (let nights = 0; nights < 13; nights += 1) {
      await lab.simulator.advance(nights === 0 ? day : 3 * day);
      const run = await lab.run({ tables: 'copy_jobs' });
      expect(run.exit_code).toBe(0);
      expect(Date.parse(run.as_of)).toBe(lab.simulator.now());
      expect(run.coverage.SKIPPED).toBeUndefined();
    }
    // No job of these days is missing, those included that AWS has forgotten by now.
    const truth = await readTruth(lab.truthFile);
    const kept = (await lab.rows()).copy_jobs;
    expect([...truth.copy_jobs.keys()].filter((id) => !kept.has(id))).toEqual([]);
  }, 240_000);

  it.each([
    ['72 hours ahead', 72 * hour],
    ['3 days behind', -3 * day],
    ['20 minutes ahead', hour / 3],
  ])('%s costs nothing', async (_, ms) => {
    await lab.run();
    wrongSts(ms);
    for (let nights = 0; nights < 4; nights += 1) {
      const run = await night();
      expect(run.exit_code).toBe(0);
      expect(Date.parse(run.as_of)).toBe(lab.simulator.now());
    }
    expect(await lab.differences()).toEqual([]);
  });

  it.each([40 * day, -3 * day])(
    'by %d ms is found out where only STS is asked before reading',
    async (ms) => {
      const self = { accounts: 'self', regions: lab.region(0) };
      wrongSts(ms);
      const run = await lab.run(self);
      expect(run.exit_code).toBe(0);
      expect(Date.parse(run.as_of)).toBe(lab.simulator.now());
    },
  );
});

describe('witnesses that do not agree', () => {
  it('do not stop a run for the record of one that says it began in the future', async () => {
    await lab.run();
    const future = lab.simulator.now() + 40 * day;
    const folder = join(lab.lake, '_ledger/runs', new Date(future).toISOString().slice(0, 10));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${v7({ msecs: future })}.begin.json`), '{}');
    expect((await night()).exit_code).toBe(0);
    expect(await lab.differencesFromNow()).toEqual([]);
  });
});

describe('a wrong Date of a page', () => {
  it('from the future is told, and gives no row a time in the future', async () => {
    await lab.run();
    lab.simulator.addFaults([{ kind: 'wrong-date', region: lab.region(1), ms: 40 * day }]);
    expect((await night()).exit_code).toBe(0);
    expect(Math.max(...(await observed()))).toBeLessThanOrEqual(lab.simulator.now() + 5 * 60_000);
    lab.simulator.clearFaults();
    for (let nights = 0; nights < 3; nights += 1) await night();
    expect(await lab.differences()).toEqual([]);
  });

  it('from before the run is no answer to it: not OK, no watermark moves, and the next night reads it', async () => {
    await lab.run();
    const region = lab.region(1);
    lab.simulator.addFaults([{ kind: 'wrong-date', region, ms: -3 * day }]);
    const run = await night();
    expect(run.exit_code).toBe(75);
    expect(run.failures.length).toBeGreaterThan(0);
    for (const failure of run.failures) {
      expect(failure).toMatchObject({
        region,
        status: 'FAILED',
        error: expect.stringMatching(/StaleAnswer/),
      });
    }
    lab.simulator.clearFaults();
    expect((await night()).exit_code).toBe(0);
    expect(await lab.differencesFromNow()).toEqual([]);
  });
});
