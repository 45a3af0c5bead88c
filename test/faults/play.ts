/** Plays a scenario with a seed: good run, hurt nights, good runs; and says everything that did not hold. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiOnly, differences, type LakeRow } from '../support/lake-reader.ts';
import { type Expected, type ExpectedLake, readTruth, summaryKey } from '../support/truth.ts';
import { messagesOf, shortened, wrongBlame } from './blame.ts';
import type { Ended } from './exporter.ts';
import { type AwsTruth, coverageOf, type Damage, type Looked, violations } from './lake-check.ts';
import { type LakeView, rowsIn } from './lake-view.ts';
import type { Night, Scenario } from './scenario.ts';
import { drawsOf } from './seeded.ts';
import { openWorld, type RunOptions, type World } from './world.ts';

const dayMs = 86_400_000;
/** AWS shows the counts of so many days. */
const countedDays = 14;

export interface Played {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly seconds: number;
  /** The exit codes of the hurt nights, or how else they ended. */
  readonly ends: readonly string[];
  readonly failures: readonly string[];
}

export async function play(scenario: Scenario, seed: number): Promise<Played> {
  const begun = performance.now();
  const ends: string[] = [];
  const failures: string[] = [];
  const done = () => ({ scenario, seed, seconds: (performance.now() - begun) / 1000, ends, failures });
  const { lake, way, simulator = {} } = scenario;
  const world = await openWorld({ seed, lake, way, simulator });
  try {
    const player = new Player(scenario, world, failures);
    if (scenario.primed !== false) {
      if (lake === 'local' && scenario.good === undefined && scenario.ownFirstRun !== true)
        await player.primed(JSON.stringify([seed, simulator]));
      else await player.good('the first good run');
      await world.simulator.advance(dayMs);
    }
    let night = 0;
    for (const one of scenario.nights(drawsOf(scenario.name, seed), world)) {
      night += 1;
      ends.push(await player.hurt(one, `night ${night}`));
    }
    await scenario.mend?.(world);
    await player.good('the good run after it');
    // Who says that all is well, or has met a wrong clock, may have left a mark that makes the next night skip something.
    if (!ends.includes('0') && !/clock|lake/.test(scenario.cause)) return done();
    await world.simulator.advance(dayMs);
    await player.good('the good run a day later');
  } catch (error) {
    failures.push(
      `the scenario itself failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`,
    );
  } finally {
    await world.close();
  }
  return done();
}

/** Local lakes after a first good run, by the simulator that they come from. */
const firstLakes = new Map<string, Promise<string>>();

/** Removes the lakes that scenarios began with. */
export async function forgetFirstLakes(): Promise<void> {
  for (const folder of firstLakes.values()) await rm(await folder, { recursive: true, force: true });
  firstLakes.clear();
}

class Player {
  readonly #scenario: Scenario;
  readonly #world: World;
  readonly #failures: string[];

  constructor(scenario: Scenario, world: World, failures: string[]) {
    this.#scenario = scenario;
    this.#world = world;
    this.#failures = failures;
  }

  /** The lake after a good run over such a simulator. Many scenarios begin alike: the run is made once, and checked. */
  async primed(name: string): Promise<void> {
    const { lakeFolder } = this.#world;
    const known = firstLakes.get(name);
    if (known !== undefined)
      return await cp(await known, lakeFolder, { recursive: true, preserveTimestamps: true });
    const made = (async () => {
      await this.good('the first good run');
      const folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-faults-first-'));
      await cp(lakeFolder, folder, { recursive: true, preserveTimestamps: true });
      return folder;
    })();
    firstLakes.set(name, made);
    await made;
  }

  /** A run without any fault: it must end with 0, and the lake must be what AWS shows. */
  async good(when: string): Promise<void> {
    const world = this.#world;
    world.proxy.hurts.set([]);
    world.simulator.clearFaults();
    world.proxy.onSeen = () => undefined;
    const before = await world.view();
    const ended = await world.start(optionsOf(this.#scenario.good, world)).ended;
    const after = await world.view();
    const { left = {} } = this.#scenario;
    const looked = { before, after, ended, truth: await truthOf(world), stopped: false };
    const found = violations(looked, left);
    if (ended.code !== 0) found.push(`ended with ${endOf(ended)}: ${lastWords(ended)}`);
    found.push(...(await differencesFrom(world, after, left, this.#scenario.accounts?.(world))));
    this.#tell(when, found);
  }

  async hurt(night: Night, when: string): Promise<string> {
    const world = this.#world;
    await night.before?.(world);
    world.proxy.hurts.set(night.hurts ?? []);
    world.simulator.clearFaults();
    world.simulator.addFaults(night.faults ?? []);
    const before = await world.view();
    const deadlineMs = (night.deadlineSeconds ?? 60) * 1000;
    const running = world.start(optionsOf(night.run, world), deadlineMs);
    let stopped = night.stopped === true;
    let times = 0;
    world.proxy.onSeen = ({ api }) => {
      if (night.signal === undefined || api !== night.signal.at.api) return;
      times += 1;
      if (times !== night.signal.at.nth) return;
      stopped = night.signal.send !== 'SIGUSR2';
      running.kill(night.signal.send);
    };
    const ended = await running.ended;
    const after = await world.view();
    const looked = { before, after, ended, truth: await truthOf(world), stopped };
    const coverage = coverageOf(looked);
    const found = violations(looked, night.damage ?? this.#scenario.left);
    found.push(...wrongBlame(this.#scenario.cause, ended, coverage, night.allowed));
    found.push(...unexpected(night, ended, coverage));
    found.push(...((await night.after?.(world)) ?? []));
    if (night.keepsAll) found.push(...missingFrom(looked));
    if (night.signal !== undefined && times < night.signal.at.nth)
      found.push('the moment of the signal never came');
    if ((night.hurts ?? []).length > 0 && night.meets !== false && world.proxy.hurts.met === 0) {
      found.push('nothing was hurt: the scenario does not reach what it is about');
    }
    if (found.length > 0) found.push(`(ended with ${endOf(ended)}: ${lastWords(ended)})`);
    this.#tell(when, found);
    return endOf(ended);
  }

  #tell(when: string, found: readonly string[]): void {
    this.#failures.push(...found.map((text) => `${when}: ${text}`));
  }
}

function missingFrom({ after, truth }: Looked): string[] {
  const there = new Set(rowsIn(after, 'copy_jobs').map(({ copy_job_id: id }) => id));
  const missing = [...truth.jobs.values()].flatMap((jobs) => [...jobs.keys()]).filter((id) => !there.has(id));
  return missing.length === 0 ? [] : [`${missing.length} jobs are not in the lake: ${missing[0]}`];
}

function optionsOf(run: RunOptions | ((world: World) => RunOptions) | undefined, world: World): RunOptions {
  return typeof run === 'function' ? run(world) : (run ?? {});
}

function unexpected(night: Night, ended: Ended, coverage: readonly LakeRow[]): string[] {
  const found: string[] = [];
  if (!night.codes.includes(ended.code ?? -1)) {
    found.push(`ended with ${endOf(ended)}, not with ${night.codes.join(' or ')}`);
  }
  const statuses = new Set(coverage.map(({ status }) => String(status)));
  for (const status of night.statuses?.some ?? []) {
    if (!statuses.has(status)) found.push(`no target is ${status}, but ${[...statuses].join(', ')}`);
  }
  for (const status of night.statuses?.none ?? []) {
    if (statuses.has(status)) found.push(`a target is ${status}`);
  }
  const messages = messagesOf(ended, coverage);
  for (const wanted of night.says ?? []) {
    if (!messages.some((message) => wanted.test(message))) found.push(`nobody says ${wanted}`);
  }
  for (const unwanted of night.never ?? []) {
    const said = messages.find((message) => unwanted.test(message));
    if (said !== undefined) found.push(`says ${unwanted}: ${shortened(said)}`);
  }
  return found;
}

/** What AWS shows at this instant, by who lists it. */
export async function truthOf({ simulator }: World): Promise<AwsTruth> {
  const jobs = new Map<string, Map<string, number>>();
  const counts = new Map<string, number>();
  const oldest = simulator.now() - (countedDays - 1) * dayMs;
  for await (const line of simulator.truth()) {
    const target = `${line.account_id}/${line.region}`;
    if (line.table === 'copy_jobs') {
      const known = jobs.get(target) ?? new Map<string, number>();
      const { CopyJobId: id = '', CreationDate: created = 0 } = line.record;
      jobs.set(target, known.set(id, Math.round(created * 1000)));
    } else if (line.aggregation_period === 'ONE_DAY' && line.record.StartTime * 1000 >= oldest) {
      counts.set(target, (counts.get(target) ?? 0) + 1);
    }
  }
  return { now: simulator.now(), jobs, counts };
}

/** How the lake differs from what AWS shows, where all of its parts are to be read. */
export async function differencesFrom(
  world: World,
  view: LakeView,
  left: Damage = {},
  accounts?: readonly string[],
): Promise<string[]> {
  const file = join(world.folder, 'truth.ndjson');
  await world.simulator.writeTruth(file);
  const truth = await readTruth(file);
  const read = (rows: ReadonlyMap<string, Expected>) =>
    new Map([...rows].filter(([, row]) => accounts?.includes(String(row.account_id)) ?? true));
  const expected = { copy_jobs: read(truth.copy_jobs), copy_job_summaries: read(truth.copy_job_summaries) };
  const keyed = (rows: readonly LakeRow[], keyOf: (row: LakeRow) => string) =>
    new Map<string, Expected>(rows.map((row) => [keyOf(row), apiOnly(row)]));
  const actual: ExpectedLake = {
    copy_jobs: keyed(rowsIn(view, 'copy_jobs'), (row) => String(row.copy_job_id)),
    copy_job_summaries: keyed(rowsIn(view, 'copy_job_summaries'), summaryKey),
  };
  return left.missing === undefined ? differences(actual, expected) : [];
}

function endOf({ code, signal, overdue }: Ended): string {
  return overdue ? 'overdue' : (signal ?? String(code));
}

/** The line that says why a run ended as it did: the last error of the log, or the last line. */
function lastWords({ stderr, stdout }: Ended): string {
  const lines = stderr.trim().split('\n');
  const internal = lines.findIndex((line) => line.includes('internal error'));
  const logged = lines.findLast((line) => /"level":"(error|fatal)"/.test(line));
  const error = internal >= 0 ? lines.slice(internal).join(' | ') : (logged ?? lines.at(-1) ?? '');
  const failures = /"failures":(\[\{.*?\}\])/.exec(stdout)?.[1] ?? '';
  return shortened([error, failures].filter((text) => text !== '').join(' · '), 1200);
}
