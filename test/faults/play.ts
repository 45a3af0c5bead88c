/** Plays a scenario with a seed: good run, hurt nights, good runs; and says everything that did not hold. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiOnly, differences, type LakeRow } from '../support/lake-reader.ts';
import { type Expected, type ExpectedLake, readTruth, summaryKey } from '../support/truth.ts';
import { messagesOf, shortened, wrongBlame } from './blame.ts';
import type { Ended } from './exporter.ts';
import { type AwsTruth, coverageOf, type Damage, violations } from './lake-check.ts';
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
  const { lake, way, simulator = {} } = scenario;
  const world = await openWorld({ seed, lake, way, simulator });
  try {
    const player = new Player(scenario, world, failures);
    if (scenario.primed !== false) {
      await player.good('the first good run');
      await world.simulator.advance(dayMs);
    }
    let night = 0;
    for (const one of scenario.nights(drawsOf(scenario.name, seed), world)) {
      night += 1;
      ends.push(await player.hurt(one, `night ${night}`));
    }
    await scenario.mend?.(world);
    await player.good('the good run after it');
    await world.simulator.advance(dayMs);
    await player.good('the good run a day later');
  } catch (error) {
    failures.push(
      `the scenario itself failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`,
    );
  } finally {
    await world.close();
  }
  return { scenario, seed, seconds: (performance.now() - begun) / 1000, ends, failures };
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
    found.push(...(await differencesFrom(world, after, left)));
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
    let stopped = false;
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
async function truthOf({ simulator }: World): Promise<AwsTruth> {
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

async function differencesFrom(world: World, view: LakeView, left: Damage): Promise<string[]> {
  const file = join(world.folder, 'truth.ndjson');
  await world.simulator.writeTruth(file);
  const expected = await readTruth(file);
  const keyed = (rows: readonly LakeRow[], keyOf: (row: LakeRow) => string) =>
    new Map<string, Expected>(rows.map((row) => [keyOf(row), apiOnly(row)]));
  const actual: ExpectedLake = {
    copy_jobs: keyed(rowsIn(view, 'copy_jobs'), (row) => String(row.copy_job_id)),
    copy_job_summaries: keyed(rowsIn(view, 'copy_job_summaries'), summaryKey),
  };
  return left.missing === undefined ? differences(actual, expected) : [];
}

export function endOf({ code, signal, overdue }: Ended): string {
  return overdue ? 'overdue' : (signal ?? String(code));
}

/** The line that says why a run ended as it did: the last error of the log, or the last line. */
function lastWords({ stderr, stdout }: Ended): string {
  const lines = stderr.trim().split('\n');
  const error = lines.findLast((line) => /"level":"(error|fatal)"/.test(line)) ?? lines.at(-1) ?? '';
  const failures = /"failures":(\[\{.*?\}\])/.exec(stdout)?.[1] ?? '';
  return shortened([error, failures].filter((text) => text !== '').join(' · '), 1200);
}

/** For reading a file of a lake in a scenario. */
export async function jsonIn(folder: string, key: string): Promise<Record<string, unknown>> {
  const parsed: unknown = JSON.parse(await readFile(join(folder, key), 'utf8'));
  return { ...Object(parsed) };
}
