import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openLab } from '../support/lab.ts';
import { told, verified } from '../verify/night-lake.ts';
import { type Event, expectConvergence } from './history.ts';

const day = 86_400_000;

const events: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('run' as const),
      flags: fc.constantFrom<Readonly<Record<string, string>>>(
        {},
        {},
        { since: '2d' },
        { since: 'all' },
        { until: '2026-11-15' },
        { since: '2026-11-10', until: '2026-11-12' },
        { tables: 'copy_jobs' },
        { tables: 'copy_job_summaries' },
        { engine: 'parquetjs-lite' },
        { 'full-every': '1d' },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      fault: fc.constantFrom(
        { kind: 'deny' as const, api: 'ListCopyJobs', region: 'us-east-1' },
        { kind: 'deny' as const, api: 'ListCopyJobSummaries' },
        { kind: 'deny' as const, api: 'AssumeRole' },
        { kind: 'bad-date' as const, probability: 0.3 },
        { kind: 'missing-id' as const, probability: 0.3 },
        { kind: 'token-cycle' as const, probability: 0.5 },
        { kind: 'expire-token' as const, count: 2 },
        { kind: 'server-error' as const, count: 3 },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'heal' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('advance' as const), hours: fc.integer({ min: 1, max: 60 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('kill' as const),
      step: fc.constantFrom('between two parts' as const, 'before its coverage' as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'overlap' as const }) },
);

it('after any history of runs, failures, crashes, overlaps and moves of the clock, one good run makes the lake equal to the truth of what it could see', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(events, { minLength: 3, maxLength: 7 }),
      fc.integer({ min: 1, max: 1000 }),
      (history, seed) => expectConvergence(history, { days: 20, seed }),
    ),
    { numRuns: Number(process.env.HISTORIES ?? 8) },
  );
}, 600_000);

it('45 nights later the lake still holds what AWS has forgotten, as it was last seen', async () => {
  const lab = await openLab({ accounts: 2, regions: 2, jobsPerDay: 3 });
  try {
    expect((await lab.run()).exit_code).toBe(0);
    const first = await lab.rows();
    expect(first.copy_jobs.size).toBeGreaterThan(0);
    for (let night = 1; night <= 45; night++) {
      await lab.simulator.advance(day);
      expect((await lab.run()).exit_code).toBe(0);
    }
    expect(await lab.differences()).toEqual([]);
    const now = await lab.rows();
    for (const id of first.copy_jobs.keys()) expect(now.copy_jobs.has(id)).toBe(true);
    expect(now.copy_jobs.size).toBeGreaterThan(first.copy_jobs.size * 2);
  } finally {
    await lab.close();
  }
}, 600_000);

it.each([
  ['children are listed', { children: 'listed' as const }],
  ['children are listed only with their parent', { children: 'hidden' as const }],
])(
  'one good night sees the ends of jobs that lie before its window, with nights lost and denied in between, when %s',
  async (_, options) => {
    const lab = await openLab({ accounts: 2, regions: 2, jobsPerDay: 60, days: 12, ...options });
    try {
      expect((await lab.run()).exit_code).toBe(0);
      for (const hours of [24, 24, 72, 30, 24, 90, 24]) {
        await lab.simulator.advance(hours * 3_600_000);
        if (hours === 30) {
          lab.simulator.addFaults([{ kind: 'deny', api: 'ListCopyJobs', region: lab.region(0) }]);
          await lab.run();
          lab.simulator.clearFaults();
          continue;
        }
        const summary = await lab.run();
        expect(summary.exit_code).toBe(0);
        expect(await lab.differencesFromNow()).toEqual([]);
      }
      expect(told(await verified(lab.lake))).toEqual([]);
    } finally {
      await lab.close();
    }
  },
  600_000,
);

it.each([
  ['a job is listed in the destination too', { listInDestination: true }],
  ['children are listed only with their parent', { children: 'hidden' as const }],
])('the lake equals the truth when %s', async (_, options) => {
  const lab = await openLab({ accounts: 5, jobsPerDay: 20, ...options });
  try {
    expect((await lab.run()).exit_code).toBe(0);
    expect(await lab.differences()).toEqual([]);
    const again = await lab.run({ since: 'all' });
    expect(again.tables.copy_jobs?.parts_written).toBe(0);
  } finally {
    await lab.close();
  }
});
