/**
 * npm run test:kills: `kill -9` at random instants and between the steps that close a run, over lakes in a folder and on S3.
 * Its last line says `N passed, N failed`: a kill passes when it landed on a live process where it was meant to, and
 * the lake was whole after it.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { provenance, writeSection } from '../faults/report.ts';
import { campaign, type Kill, killsPerLake } from './campaign.ts';
import { steps } from './steps.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '500' },
    seed: { type: 'string' },
    store: { type: 'string', default: 'both' },
    minutes: { type: 'string', default: '600' },
    report: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const total = Number(values.kills);
const seed = values.seed === undefined ? 1 + Math.floor(Math.random() * 1e6) : Number(values.seed);
const stores: readonly Kill['store'][] =
  values.store === 'both' ? ['local', 's3'] : values.store === 's3' ? ['s3'] : ['local'];

const kills: Kill[] = [];
const failures: string[] = [];
let missed = 0;
const begun = performance.now();
const isOver = () => performance.now() - begun > Number(values.minutes) * 60_000;
const halves = stores.map(async (store) => {
  const wanted = Math.ceil(total / stores.length);
  for (let first = 0; first < wanted && !isOver(); first += killsPerLake) {
    const count = Math.min(killsPerLake, wanted - first);
    const done = await campaign(
      store,
      seed + first,
      first,
      count,
      (kill) => {
        kills.push(kill);
        process.stdout.write(
          `${String(kills.length).padStart(4)}/${total} ${store}: killed ${kill.step.name}; it ${kill.reached}\n`,
        );
      },
      isOver,
    );
    missed += done.missed;
    failures.push(...done.failures);
    for (const failure of done.failures) process.stdout.write(`     FAILED ${failure}\n`);
  }
});
await Promise.all(halves);
const minutes = Math.round((performance.now() - begun) / 60_000);

const number = (pattern: RegExp) => failures.filter((text) => pattern.test(text)).length;
const found = `${number(/: lost/)} lost, ${number(/: doubled/)} doubled, ${number(/: unreadable/)} unreadable`;
const count = (store: string, keep: (kill: Kill) => boolean) =>
  kills.filter((kill) => kill.store === store && keep(kill)).length;
const table = (rows: readonly string[], of: (kill: Kill) => string) => [
  `| | ${stores.join(' | ')} |`,
  `| --- |${stores.map(() => ' ---: |').join('')}`,
  ...rows.map(
    (row) => `| ${row} | ${stores.map((store) => count(store, (kill) => of(kill) === row)).join(' | ')} |`,
  ),
];
const random = kills.filter(({ step }) => step.at === null);
const lines = [
  `${provenance()}; seed ${seed}; ${kills.length} kills in ${minutes} minutes, all on a live process: **${found}**; ${failures.length} failures in all.`,
  `${missed} more runs ended before their kill came and are not counted.`,
  '',
  'Killed:',
  '',
  ...table(
    steps.map(({ name }) => name),
    ({ step }) => step.name,
  ),
  '',
  'What the runs that were killed at a random instant had done:',
  '',
  ...table([...new Set(random.map((kill) => kill.reached))].sort(), (kill) =>
    kill.step.at === null ? kill.reached : '',
  ),
];
process.stdout.write(`\n${lines.join('\n')}\n`);
if (values.write) await writeSection('kills', ['', ...lines, '']);
const failed = new Set(failures).size;
const passed = Math.max(0, kills.length - failed);
if (values.report !== undefined) {
  await mkdir(dirname(values.report), { recursive: true });
  await writeFile(
    values.report,
    JSON.stringify({ numPassedTests: passed, numFailedTests: failed, testResults: [] }),
  );
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 || kills.length < total ? 1 : 0;
