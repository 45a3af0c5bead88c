import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../../src/simulator/simulated-clock.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import type { SimulatorOptions } from '../../src/simulator/simulator-options.ts';
import type { TruthLine } from '../../src/simulator/truth.ts';
import { collect, drainAll } from './clients.ts';

const small = { accounts: 2, regions: 2, jobsPerDay: 5 } satisfies Partial<SimulatorOptions>;
let simulator: Simulator;
afterEach(() => simulator.stop());

/** What drains at several instants add up to: jobs by id, counts by slice, the later ones over the earlier. */
class Ledger {
  readonly #jobs = new Map<string, TruthLine>();
  readonly #slices = new Map<string, TruthLine[]>();

  observe(lines: readonly TruthLine[]): void {
    const fresh = new Map<string, TruthLine[]>();
    for (const line of lines) {
      const target = `${line.account_id} ${line.region}`;
      if (line.table === 'copy_jobs') this.#jobs.set(`${target} ${line.record.CopyJobId}`, line);
      else {
        const key = `${target} ${line.aggregation_period} ${line.record.StartTime}`;
        fresh.set(key, [...(fresh.get(key) ?? []), line]);
      }
    }
    for (const [key, slice] of fresh) this.#slices.set(key, slice);
  }

  get lines(): string[] {
    return sorted([...this.#jobs.values(), ...[...this.#slices.values()].flat()]);
  }
}

function sorted(lines: readonly TruthLine[]): string[] {
  return lines.map((line) => JSON.stringify(line)).sort();
}

/** The first lines that only one of them has, or has more often. */
function unlike(truth: readonly string[], observed: readonly string[]): string[] {
  const count = new Map<string, number>();
  for (const line of truth) count.set(line, (count.get(line) ?? 0) + 1);
  for (const line of observed) count.set(line, (count.get(line) ?? 0) - 1);
  const found = [...count].filter(([, balance]) => balance !== 0);
  return found
    .slice(0, 5)
    .map(([line, balance]) => `${balance > 0 ? 'only in truth' : 'only observed'}: ${line}`);
}

const variants: Partial<SimulatorOptions>[] = [
  {},
  { children: 'hidden' },
  { listInDestination: true },
  { children: 'hidden', listInDestination: true },
];

describe.each(variants)('the truth with %o', (variant) => {
  it('is what drains at all instants of its life have returned, as last served', async () => {
    simulator = await startSimulator({ ...small, ...variant });
    const ledger = new Ledger();
    const moves = [0, 3 * HOUR, DAY, 2 * DAY, 5 * DAY + HOUR, 16 * DAY, 12 * HOUR, 35 * DAY];
    for (const move of moves) {
      await simulator.advance(move);
      ledger.observe(await drainAll(simulator));
      expect(unlike(sorted(await collect(simulator.truth())), ledger.lines)).toEqual([]);
    }
  });
});

it('the truth leaves out what lived and was forgotten between two instants', async () => {
  simulator = await startSimulator(small);
  await simulator.advance(70 * DAY);
  const dates = (await collect(simulator.truth()))
    .filter((line) => line.table === 'copy_jobs')
    .map((line) => (line.record.CreationDate ?? 0) * 1000);
  const end = Date.UTC(2026, 10, 20, 2);
  expect(dates.some((date) => date < end)).toBe(true);
  expect(dates.some((date) => date > end + 40 * DAY)).toBe(true);
  expect(dates.filter((date) => date >= end && date < end + 39 * DAY)).toEqual([]);
});

describe('the truth file', () => {
  it('is rewritten with every move, and equal to the truth made at once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'simulator-truth-'));
    const truthFile = join(folder, 'deep', 'truth.ndjson');
    try {
      simulator = await startSimulator({ ...small, truthFile, listInDestination: true });
      const read = async () => (await readFile(truthFile, 'utf8')).split('\n').slice(0, -1);
      for (const move of [0, DAY, DAY, 6 * DAY, 9 * DAY, 20 * DAY, DAY]) {
        await simulator.advance(move);
        const whole = (await collect(simulator.truth())).map((line) => JSON.stringify(line));
        expect(await read()).toEqual(whole);
      }
      const copy = join(folder, 'copy.ndjson');
      await simulator.writeTruth(copy);
      expect(await readFile(copy, 'utf8')).toBe(await readFile(truthFile, 'utf8'));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('holds nothing that a fault has changed', async () => {
    simulator = await startSimulator(small);
    const before = sorted(await collect(simulator.truth()));
    simulator.addFaults([{ kind: 'unknown-state' }, { kind: 'missing-id' }, { kind: 'bad-date' }]);
    expect(sorted(await collect(simulator.truth()))).toEqual(before);
  });
});
