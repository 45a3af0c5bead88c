/** Every observed change of a job's state is there once: the simulator's truth at each run says which they are. */
import { afterEach, expect, it } from 'vitest';
import { openInDuckDb } from '../support/answers/duckdb.ts';
import { killPoints } from '../support/kill-points.ts';
import { killedBefore } from '../support/killed-before.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { looksIn, type Seen, type Transition, transitionsOf } from '../support/sightings.ts';
import { readTruth } from '../support/truth.ts';

const hour = 3_600_000;
/** Between runs: within an hour, a night, and several days. */
const pauses = [0.4, 0.6, 3, 21, 1, 30, 2, 55];

let lab: Lab;
afterEach(() => lab.close());

const seen = async (runId: string, asOf: string): Promise<Seen> => ({
  runId,
  asOf: Date.parse(asOf),
  truth: (await readTruth(lab.truthFile)).copy_jobs,
});

interface Told extends Omit<Transition, 'id'> {
  readonly number: number;
}

/** What the lake says, job by job. */
async function told(): Promise<Map<string, Told[]>> {
  const duckdb = await openInDuckDb(lab.lake);
  try {
    const { rows } = await duckdb.ask(
      'SELECT * FROM copy_job_transitions ORDER BY copy_job_id, change_number',
    );
    const found = new Map<string, Told[]>();
    for (const row of rows) {
      const id = String(row.copy_job_id);
      const text = (name: string) => (row[name] === null ? null : String(row[name]));
      expect(row.is_first_sight).toBe(row.from_state === null);
      found.set(id, [
        ...(found.get(id) ?? []),
        {
          number: Number(row.change_number),
          from: text('from_state'),
          to: text('to_state'),
          lastSeenBefore: row.last_seen_before === null ? null : Number(row.last_seen_before),
          firstSeenAfter: Number(row.first_seen_after),
          runId: String(row.run_id),
          category: text('message_category'),
        },
      ]);
    }
    return found;
  } finally {
    duckdb.close();
  }
}

async function expected(runs: readonly Seen[]): Promise<Map<string, Told[]>> {
  const found = new Map<string, Told[]>();
  for (const { id, ...one } of transitionsOf(runs, await lab.table('export_coverage'), looksIn(lab.lake))) {
    const before = found.get(id) ?? [];
    found.set(id, [...before, { number: before.length + 1, ...one }]);
  }
  return found;
}

const without = (names: readonly (keyof Told)[], all: ReadonlyMap<string, readonly Told[]>) =>
  [...all]
    .map(([id, ones]) => [
      id,
      ones.map((one) =>
        Object.fromEntries(Object.entries(one).filter(([name]) => !names.some((left) => left === name))),
      ),
    ])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));

const small = { accounts: 2, regions: 2, jobsPerDay: 40, days: 3, seed: 12 };

function expectManyChanges(all: ReadonlyMap<string, readonly Told[]>): void {
  const changes = [...all.values()].flat().filter(({ from }) => from !== null);
  expect(changes.length).toBeGreaterThan(20);
}

it.each([
  ['duckdb', {}],
  ['parquetjs-lite', { listInDestination: true }],
])(
  'after many runs, by %s',
  async (engine, options) => {
    lab = await openLab({ ...small, ...options });
    const runs: Seen[] = [];
    for (const pause of [0, ...pauses]) {
      await lab.simulator.advance(pause * hour);
      const { run_id, as_of } = await lab.run({ engine });
      runs.push(await seen(run_id, as_of));
    }
    const truth = await expected(runs);
    expectManyChanges(truth);
    expect(without([], await told())).toEqual(without([], truth));

    // A run that reads everything again sees nothing new.
    const before = await lab.parts();
    const again = await lab.run({ engine, since: 'all' });
    expect(again.tables.copy_jobs?.parts_written).toBe(0);
    expect(await lab.parts()).toEqual(before);
  },
  300_000,
);

it('after pairs of runs at once', async () => {
  lab = await openLab(small);
  const runs: Seen[] = [];
  for (const pause of [0, ...pauses.slice(0, 5)]) {
    await lab.simulator.advance(pause * hour);
    const both = await Promise.all([lab.start().ended, lab.start().ended]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const { run_id, as_of } = JSON.parse(both[0].stdout);
    runs.push(await seen(run_id, as_of));
  }
  const truth = await expected(runs);
  expectManyChanges(truth);
  expect(without(['runId'], await told())).toEqual(without(['runId'], truth));
}, 300_000);

it.each([
  // A night changes the parts of two days.
  ['between two parts', [0, 22, 26, 30]],
  ['before its coverage', [0, 0.4, 3, 21]],
  ['between its coverage and its manifest', [0, 0.4, 3, 21]],
] as const)(
  'after runs that were killed %s, and ran again',
  async (step, hours) => {
    lab = await openLab(small);
    const { path, nth } = killPoints[step];
    const runs: Seen[] = [];
    for (const pause of hours) {
      await lab.simulator.advance(pause * hour);
      const killed = await lab.start({}, killedBefore(path, nth)).ended;
      expect(killed.signal, killed.stderr).toBe('SIGKILL');
      const { run_id, as_of } = await lab.run();
      runs.push(await seen(run_id, as_of));
    }
    const truth = await expected(runs);
    expectManyChanges(truth);
    expect(without(['runId'], await told())).toEqual(without(['runId'], truth));
  },
  300_000,
);

it('what only a killed run saw is kept too', async () => {
  lab = await openLab(small);
  const { path, nth } = killPoints['before its coverage'];
  await lab.run();
  await lab.simulator.advance(hour / 2);
  const killed = await lab.start({}, killedBefore(path, nth)).ended;
  expect(killed.signal, killed.stderr).toBe('SIGKILL');
  const atKill = await readTruth(lab.truthFile);
  const known = await lab.rows();
  await lab.simulator.advance(24 * hour);
  await lab.run();
  const found = await told();
  let changed = 0;
  for (const [id, { state }] of atKill.copy_jobs) {
    if (!known.copy_jobs.has(id)) continue;
    expect(found.get(id)?.map(({ to }) => to)).toContain(state);
    if ((found.get(id)?.length ?? 0) > 1) changed += 1;
  }
  expect(changed).toBeGreaterThan(5);
}, 300_000);
