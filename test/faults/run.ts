/**
 * npm run test:faults: plays whole runs of `export` through a proxy that hurts AWS and S3, and checks what they leave.
 * Its last line says `N passed, N failed`; every failure is printed with the seed that makes it again.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { forgetFirstLakes, type Played, play } from './play.ts';
import { writeFaults } from './report.ts';
import type { Scenario } from './scenario.ts';
import { mixture } from './scenarios/mixtures.ts';
import { scenarios } from './scenarios/scenarios.ts';

const usage = `npm run test:faults -- [options]
  --scenario NAME   only this one; may be given more than once
  --seed N          the seed of the faults and of the simulated jobs; default: a new one
  --short           the quick scenarios and three mixtures, as CI runs them
  --mixtures N      how many random mixtures, besides the named scenarios; default: 12
  --jobs N          how many scenarios at once; default: 2
  --list            only show the names
  --report FILE     the counts as JSON
  --write           the outcome into docs/reliability.md
`;

interface Job {
  readonly scenario: Scenario;
  readonly seed: number;
}

function chosen(): {
  jobs: readonly Job[];
  atOnce: number;
  report: string | undefined;
  write: boolean;
} | null {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', multiple: true },
      seed: { type: 'string' },
      short: { type: 'boolean', default: false },
      mixtures: { type: 'string' },
      jobs: { type: 'string', default: '2' },
      list: { type: 'boolean', default: false },
      report: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || values.list) {
    process.stdout.write(
      values.help ? usage : scenarios.map(({ name, kind: what }) => `${name}  (${what})\n`).join(''),
    );
    return null;
  }
  const seed = values.seed === undefined ? 1 + Math.floor(Math.random() * 1e6) : Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed ${values.seed} is not an integer`);
  const named = (name: string): Scenario => {
    const found = scenarios.find((one) => one.name === name) ?? mixture(name);
    if (found === null) throw new Error(`there is no scenario ${name}; see --list`);
    return found;
  };
  const mixtures = Number(values.mixtures ?? (values.short ? 3 : 12));
  const jobs = values.scenario?.map((name) => ({ scenario: named(name), seed })) ?? [
    ...scenarios
      .filter(({ quick }) => !values.short || quick === true)
      .map((scenario) => ({ scenario, seed })),
    ...Array.from({ length: mixtures }, (_, i) => ({ scenario: named(`mixture-${i + 1}`), seed })),
  ];
  return { jobs, atOnce: Number(values.jobs), report: values.report, write: values.write };
}

function tell({ scenario, seed, seconds, ends, failures }: Played, done: number, of: number): void {
  const outcome = failures.length === 0 ? 'passed' : 'FAILED';
  const line = `${String(done).padStart(3)}/${of} ${outcome} ${scenario.name} (seed ${seed}; exit ${ends.join(', ')}; ${seconds.toFixed(1)} s)`;
  process.stdout.write(`${line}\n`);
  if (failures.length === 0) return;
  for (const failure of failures) process.stdout.write(`      ${failure.replaceAll('\n', '\n      ')}\n`);
  process.stdout.write(`      Again: npm run test:faults -- --seed ${seed} --scenario ${scenario.name}\n`);
}

async function playAll(jobs: readonly Job[], atOnce: number): Promise<Played[]> {
  const played: Played[] = [];
  const waiting = [...jobs];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const one = await play(next.scenario, next.seed);
      played.push(one);
      tell(one, played.length, jobs.length);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return played;
}

const options = chosen();
if (options !== null) {
  const begun = performance.now();
  const played = await playAll(options.jobs, options.atOnce);
  const seconds = (performance.now() - begun) / 1000;
  await forgetFirstLakes();
  const failed = played.filter(({ failures }) => failures.length > 0);
  const passed = played.length - failed.length;
  if (options.report !== undefined) {
    await mkdir(dirname(options.report), { recursive: true });
    // The counts by the names that scripts/count-tests.mjs reads.
    const counts = { numPassedTests: passed, numFailedTests: failed.length, testResults: [] };
    await writeFile(options.report, JSON.stringify(counts));
  }
  if (options.write) await writeFaults(played, seconds);
  if (failed.length > 0) {
    process.stdout.write(
      `\nFailed: ${failed.map(({ scenario, seed }) => `${scenario.name} (seed ${seed})`).join(', ')}\n`,
    );
  }
  process.stdout.write(`${passed} passed, ${failed.length} failed\n`);
  process.exitCode = failed.length > 0 || played.length === 0 ? 1 : 0;
}
