/** Kills one run after the other over one lake, looks at it after each, and lets a good run end now and then. */
import { setTimeout as sleep } from 'node:timers/promises';
import { bucketOf } from '../../src/lake/layout.ts';
import { makeOrganization } from '../../src/simulator/simulated-organization.ts';
import type { Ended } from '../faults/exporter.ts';
import { violations } from '../faults/lake-check.ts';
import { differencesFrom, truthOf } from '../faults/play.ts';
import { drawsOf } from '../faults/seeded.ts';
import { openWorld, type RunOptions, type World } from '../faults/world.ts';
import { writtenSince } from '../support/kill-points.ts';
import { killedBefore } from '../support/killed-before.ts';
import { randomDelay, reached, type Step, stepOf } from './steps.ts';

const hourMs = 3_600_000;
/** So many kills between two good runs. */
const killsInARow = 9;
/** A new lake then: AWS must not forget what only killed runs have seen. */
export const killsPerLake = 25;

export interface Kill {
  readonly store: 'local' | 's3';
  readonly step: Step;
  /** What the run had done: see `reached`. */
  readonly reached: string;
}

export interface Campaign {
  readonly kills: readonly Kill[];
  /** Runs that ended before their kill came; they are not counted. */
  readonly missed: number;
  readonly failures: readonly string[];
}

/**
 * At most `killsPerLake` kills that landed on a live process.
 * @param first the number of its first kill: which step follows from it
 * @param isOver whether the time is up: no further run is begun
 */
export async function campaign(
  store: Kill['store'],
  seed: number,
  first: number,
  count: number,
  tell: (kill: Kill) => void,
  isOver: () => boolean,
): Promise<Campaign> {
  const world = await openWorld({
    seed: withBothBuckets(seed),
    lake: store,
    way: 'endpoint',
    simulator: { accounts, regions: 1, jobsPerDay: 16, days: 3 },
  });
  const kills: Kill[] = [];
  const failures: string[] = [];
  let missed = 0;
  try {
    let runMs = await goodRun(world, failures);
    let before = await world.view();
    const draws = drawsOf('kills', store, seed);
    for (let number = first; number < first + count && !isOver(); ) {
      await world.simulator.advance(3 * hourMs);
      const step = stepOf(number);
      const where = `${store}, seed ${seed}, kill ${number} (${step.name})`;
      const engine = number % 3 === 0 ? 'parquetjs-lite' : 'duckdb';
      const objects = await world.objects();
      const { ended, tookMs } = await killedRun(world, step, randomDelay(draws, runMs), engine);
      if (ended.signal !== 'SIGKILL') {
        missed += 1;
        // A night with little new is shorter than the good run before it.
        if (tookMs !== null) runMs = Math.min(runMs, tookMs);
        before = await world.view();
        if (missed > 20 + count)
          throw new Error(`${where}: kills do not land; the last run ended with ${ended.code}`);
        continue;
      }
      const after = await world.view();
      const written = writtenSince(objects, await world.objects());
      const looked = { before, after, ended, truth: await truthOf(world), stopped: false };
      failures.push(...violations(looked).map((text) => `${where}: ${text}`));
      if (!step.leaves(written))
        failures.push(`${where}: landed elsewhere, having written ${JSON.stringify(written)}`);
      const kill = { store, step, reached: reached(written) };
      kills.push(kill);
      tell(kill);
      number += 1;
      before = after;
      if ((number - first) % killsInARow !== 0) continue;
      runMs = await goodRun(world, failures);
      before = await world.view();
    }
    await goodRun(world, failures);
  } finally {
    await world.close();
  }
  return { kills, missed, failures };
}

const accounts = 5;
const buckets = 2;
const flags = { buckets: String(buckets), since: 'all' };

/** The next seed whose accounts lie in both buckets: otherwise no run can be killed between their watermarks. */
function withBothBuckets(seed: number): number {
  for (let next = seed; ; next += 1) {
    const used = new Set(makeOrganization(next, accounts).active.map(({ id }) => bucketOf(id, buckets)));
    if (used.size === buckets) return next;
  }
}

/** Resolves with how long it took after its begin record. */
async function goodRun(world: World, failures: string[]): Promise<number> {
  world.simulator.clearFaults();
  world.proxy.hurts.set([]);
  world.proxy.onSeen = () => undefined;
  world.proxy.onAnswered = () => undefined;
  let begunAt = performance.now();
  const before = await world.view();
  const ended = await world.start({ flags, onLog: whenBegun(() => (begunAt = performance.now())) }).ended;
  const took = performance.now() - begunAt;
  const after = await world.view();
  const looked = { before, after, ended, truth: await truthOf(world), stopped: false };
  const found = [...violations(looked), ...(await differencesFrom(world, after))];
  if (ended.code !== 0) found.push(`ended with ${ended.code ?? ended.signal}: ${ended.stderr.slice(-600)}`);
  failures.push(...found.map((text) => `the good run after kills: ${text}`));
  return took;
}

/** How a run ended; and how long it took after its begin record, if it was to be killed at random. */
interface KilledRun {
  readonly ended: Ended;
  readonly tookMs: number | null;
}

async function killedRun(world: World, step: Step, delayMs: number, engine: string): Promise<KilledRun> {
  // One record that cannot become a row, so that there are rejected records.
  world.simulator.clearFaults();
  world.simulator.addFaults([{ kind: 'missing-id', api: 'ListCopyJobs', count: 1 }]);
  const options: RunOptions = { flags: { ...flags, engine } };
  if (step.at === null) {
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const run = world.start({ ...options, onLog: whenBegun(resolve) });
    await Promise.race([begun, run.ended]);
    const begunAt = performance.now();
    await Promise.race([sleep(delayMs), run.ended]);
    const tookMs = performance.now() - begunAt;
    run.kill('SIGKILL');
    return { ended: await run.ended, tookMs };
  }
  const { path, nth } = step.at;
  const ended =
    world.s3 === null
      ? await world.start({ ...options, ofNode: killedBefore(path, nth) }).ended
      : await killedAtPut(world, options, path, nth);
  return { ended, tookMs: null };
}

/** Killed while its nth PUT to such a path is held back, and those before it have been answered. */
async function killedAtPut(world: World, options: RunOptions, path: RegExp, nth: number): Promise<Ended> {
  let answered = 0;
  let held = 0;
  const matches = (api: string, key: string) => api === 'PutObject' && path.test(key);
  world.proxy.hurts.set([
    { service: 's3', api: 'PutObject', key: path, after: nth - 1, deed: { kind: 'hang' } },
  ]);
  const run = world.start(options);
  const look = () => {
    if (held > 0 && answered >= nth - 1) run.kill('SIGKILL');
  };
  let seen = 0;
  world.proxy.onSeen = ({ api, key }) => {
    if (!matches(api, key)) return;
    seen += 1;
    if (seen >= nth) held += 1;
    look();
  };
  world.proxy.onAnswered = ({ api, key }) => {
    if (matches(api, key)) answered += 1;
    look();
  };
  return await run.ended;
}

/** Told once, when the log says that the run has its begin record. */
function whenBegun(then: () => void): (text: string) => void {
  let told = false;
  let log = '';
  return (text) => {
    log += text;
    if (told || !log.includes('"the run begins"')) return;
    told = true;
    then();
  };
}
