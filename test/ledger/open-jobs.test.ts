import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLookDue, type OpenJob } from '../../src/ledger/open-jobs.ts';
import { endsFor, extended, type Watermark, windowFor } from '../../src/ledger/watermarks.ts';

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.UTC(2026, 8, 1, 2);
const auto = { kind: 'auto' } as const;
const memoryDays = 30;

interface Job {
  readonly created: number;
  readonly ended: number;
  readonly name: string;
}

/** What the lake knows of a job: whether it has seen the end. */
type Lake = Map<string, 'open' | 'ended'>;

/** One good run of one target over a model of AWS, as a drain reads it. */
function night(jobs: readonly Job[], asOf: number, mark: Watermark | undefined, lake: Lake, name: string) {
  const memory = { asOf, memoryDays, fullEveryMs: 28 * day, name };
  const window = windowFor(auto, asOf, mark, memory);
  const since = endsFor(auto, window, mark, memory);
  const open: OpenJob[] = [];
  const earlier = new Set<string>();
  let rows = 0;
  for (const job of jobs) {
    if (job.created >= asOf || job.created <= asOf - memoryDays * day) continue;
    const inWindow = window.from === null || job.created >= window.from;
    const ended = job.ended <= asOf;
    if (!inWindow && !(since !== null && ended && job.ended >= since)) continue;
    rows += 1;
    lake.set(job.name, ended ? 'ended' : 'open');
    if (!inWindow) earlier.add(job.name);
    if (!ended) open.push({ created: job.created, job: job.name });
  }
  const next = extended(
    mark,
    {
      window,
      rememberedFrom: asOf - memoryDays * day,
      openDays: new Set(open.map(({ created }) => new Date(created).toISOString().slice(0, 10))),
      openJobs: { open, earlier, endedSince: since },
      asOf,
    },
    memoryDays,
  );
  return { next, rows, calls: since === null ? 1 : 2, isFull: window.from === null };
}

const nightlyJobs = (perDay: number, days: number, endOf: (n: number, created: number) => number): Job[] =>
  Array.from({ length: perDay * days }, (_, n) => {
    const created = start + Math.floor((n / perDay) * day);
    return { created, ended: endOf(n, created), name: String(n).padStart(8, '0') };
  });

describe('the ends of jobs', () => {
  it('are all seen by the next good run, whenever they come and whatever nights are lost', () => {
    const history = fc.record({
      jobs: fc.array(
        fc.record({
          at: fc.integer({ min: 0, max: 30 * 24 }),
          hours: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 27 * 24 })),
        }),
        { minLength: 1, maxLength: 12 },
      ),
      lost: fc.uniqueArray(fc.integer({ min: 1, max: 62 }), { maxLength: 25 }),
      name: fc.string(),
    });
    fc.assert(
      fc.property(history, ({ jobs: made, lost, name: target }) => {
        const jobs = made.map(({ at, hours }, n) => ({
          created: start + at * hour + n,
          ended: start + (at + hours) * hour + n,
          name: String(n).padStart(8, '0'),
        }));
        const lake: Lake = new Map();
        let mark: Watermark | undefined;
        for (let number = 0; number <= 63; number += 1) {
          const asOf = start + number * day;
          if (lost.includes(number)) continue;
          mark = night(jobs, asOf, mark, lake, target).next;
          for (const { name, created, ended } of jobs) {
            if (created >= asOf || asOf - created >= memoryDays * day) continue;
            expect([name, lake.get(name)]).toEqual([name, ended <= asOf ? 'ended' : 'open']);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('cost few rows and one call more where jobs that never end lie around, and a repeated run asks once', () => {
    // 3 of 1,000 never end; some take days, as in the simulator.
    const jobs = nightlyJobs(50, 90, (n, created) =>
      n % 333 === 0 ? Number.POSITIVE_INFINITY : created + (n % 67 === 0 ? 4 * day : (n % 12) * hour),
    );
    const lake: Lake = new Map();
    let mark: Watermark | undefined;
    let [rows, calls, full] = [0, 0, 0];
    for (let number = 31; number < 90; number += 1) {
      const one = night(jobs, start + number * day, mark, lake, 'one');
      if (mark !== undefined) {
        rows += one.rows;
        calls += one.calls;
        if (one.isFull) full += 1;
        if (!one.isFull) expect(one.rows).toBeLessThan(2 * 50);
      }
      mark = one.next;
      const again = night(jobs, start + number * day, mark, lake, 'one');
      expect(again.calls).toBe(1);
      expect(again.rows).toBeLessThan(50);
    }
    expect(full).toBe(2);
    expect(calls).toBeLessThanOrEqual(2 * 58);
    expect(rows / 58).toBeLessThan(3 * 50);
  });

  it('are asked for every night until AWS deletes the last open job', () => {
    const jobs = [{ created: start, ended: Number.POSITIVE_INFINITY, name: 'neverend' }];
    const lake: Lake = new Map();
    let mark: Watermark | undefined;
    const looks: number[] = [];
    for (let number = 1; number <= 32; number += 1) {
      const one = night(jobs, start + number * day, mark, lake, 'one');
      if (one.calls === 2) looks.push(number);
      mark = one.next;
    }
    // Until the third night the window reaches back to the job; on one night the window is everything.
    expect(looks.length).toBeGreaterThanOrEqual(25);
    expect(looks.filter((number) => number > 30)).toEqual([]);
  });
});

describe('a look', () => {
  it('is due where a job is open, unless no time has passed since the last one', () => {
    const open = [{ from: start - 3 * day, to: start - 3 * day }];
    expect(isLookDue(open, start - 1, start)).toBe(true);
    expect(isLookDue(open, start, start)).toBe(false);
    expect(isLookDue([], start - day, start)).toBe(false);
  });
});
