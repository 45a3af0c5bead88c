import { describe, expect, it } from 'vitest';
import { ConcurrencyLevel, type LevelChange } from '../../src/source/concurrency-level.ts';

/** How long the `count`-th request at once takes, in milliseconds. */
type Server = (request: { readonly atOnce: number; readonly number: number }) => {
  readonly ms: number;
  readonly kind?: string;
};

interface Simulation {
  readonly level: ConcurrencyLevel;
  readonly changes: LevelChange[];
  /** Requests that were answered. */
  readonly answered: () => number;
  readonly now: () => number;
  /** Sends requests as the level allows until the clock stands there. */
  run(untilMs: number, server: Server, most?: number): void;
}

/** Requests without a network: time passes from one response to the next. */
function simulate(memoryHolds: () => boolean = () => true): Simulation {
  let now = 0;
  let answered = 0;
  let number = 0;
  let underWay: { readonly begunAt: number; readonly endsAt: number; readonly kind: string }[] = [];
  const changes: LevelChange[] = [];
  const level = new ConcurrencyLevel({
    first: 16,
    least: 4,
    ceiling: 64,
    now: () => now,
    memoryHolds,
    onChange: (change) => changes.push(change),
  });
  return {
    level,
    changes,
    answered: () => answered,
    now: () => now,
    run: (untilMs, server, most = Number.POSITIVE_INFINITY) => {
      while (now < untilMs) {
        while (underWay.length < Math.min(level.level, most)) {
          number += 1;
          const { ms, kind = 'list eu-west-1' } = server({ atOnce: underWay.length + 1, number });
          underWay.push({ begunAt: now, endsAt: now + ms, kind });
        }
        underWay.sort((a, b) => a.endsAt - b.endsAt);
        const [first] = underWay;
        if (first === undefined) return;
        now = first.endsAt;
        level.released({ ...first, inUse: underWay.length });
        underWay = underWay.slice(1);
        answered += 1;
      }
    },
  };
}

/** The same numbers in every run, in [0, 1). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

describe('the level of concurrency', () => {
  it('climbs to its ceiling while responses stay fast, and no further', () => {
    const run = simulate();
    run.run(3_000, () => ({ ms: 200 }));
    expect(run.level.level).toBe(64);
    expect(run.changes.map(({ why }) => why)).toEqual(['trial', 'kept', 'trial', 'kept']);
    run.run(60_000, () => ({ ms: 200 }));
    expect(run.level.history.highest).toBe(64);
    expect(run.level.history.mean).toBeGreaterThan(62);
  });

  it('climbs although responses take very different times, in each region and by chance', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const random = numbers(seed);
      const run = simulate();
      // Log-normal by the sum of uniform numbers, around 100 ms in one region and 400 ms in the other.
      run.run(60_000, ({ number }) => {
        const normal = Array.from({ length: 12 }, random).reduce((a, b) => a + b, -6);
        return { ms: (number % 2 === 0 ? 100 : 400) * Math.exp(0.5 * normal), kind: `list ${number % 2}` };
      });
      expect(run.level.level).toBeGreaterThanOrEqual(40);
    }
  });

  it('stays where it began when more at once only makes responses slower, as with a busy processor', () => {
    const run = simulate();
    // A hundred a second, whatever the level.
    run.run(120_000, ({ atOnce }) => ({ ms: 10 * atOnce }));
    expect(run.level.level).toBeLessThanOrEqual(20);
    expect(run.level.history.mean).toBeLessThan(20);
  });

  it('finds the level beyond which nothing is gained', () => {
    const run = simulate();
    // Up to 40 at once are answered in 100 ms; the rest wait for them.
    run.run(120_000, ({ atOnce }) => ({ ms: 100 * Math.max(1, atOnce / 40) }));
    expect(run.level.history.mean).toBeGreaterThan(28);
    expect(run.level.history.mean).toBeLessThan(52);
  });

  it('comes down when responses have become slower, and climbs again', () => {
    const run = simulate();
    run.run(5_000, () => ({ ms: 100 }));
    expect(run.level.level).toBe(64);
    run.run(8_000, () => ({ ms: 450 }));
    expect(run.changes.at(-1)?.why).toBe('slower');
    expect(run.level.level).toBeLessThan(64);
    run.run(60_000, () => ({ ms: 100 }));
    expect(run.level.level).toBe(64);
  });

  it('comes down, to its lowest level at least, while memory is short', () => {
    let holds = true;
    const run = simulate(() => holds);
    run.run(5_000, () => ({ ms: 100 }));
    holds = false;
    run.run(30_000, () => ({ ms: 100 }));
    expect(run.level.level).toBe(4);
    expect(run.changes.at(-1)?.why).toBe('memory');
    holds = true;
    run.run(120_000, () => ({ ms: 100 }));
    expect(run.level.level).toBe(64);
  });

  it('takes a page that waits for memory as a sign that memory is short', () => {
    const run = simulate();
    run.run(5_000, () => ({ ms: 100 }));
    run.level.crowded();
    run.run(6_000, () => ({ ms: 100 }));
    expect(run.changes.at(-1)).toEqual({ level: 48, was: 64, why: 'memory' });
  });

  it('does not climb while it is not in use', () => {
    const run = simulate();
    run.run(30_000, () => ({ ms: 100 }), 8);
    expect(run.changes).toEqual([]);
  });
});
