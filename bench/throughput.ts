/**
 * The same copy jobs of the same organization, from AWS's API to sorted and partitioned Parquet: this program, and what
 * one would write in an afternoon with boto3 and pyarrow, or with boto3 and awswrangler.
 *
 *   npm run bench -- throughput [--small] [--accounts 20] [--regions 4] [--jobs-per-day 200] [--days 30] [--rounds 3]
 *     [--requests-per-second 1000]
 *
 * The peers ask as fast as they can, and so does the program: its own limit, 10 requests a second in each account and region, is the
 * question of hot-target.ts. With it, a list of 36 requests takes 3 s at least, during which the processors have little to do.
 * AWS is the simulator, a process of its own without latency, which keeps its pages: a first round that does not count
 * fills them, unless there is only one. Each contender is a process of its own; in each round all of them run, one after the other. The
 * program and pyarrow write to a folder; awswrangler writes to S3 only, so it gets moto, whose CPU is not counted. The
 * numbers of rows, of ids and a hash over the main columns have to be equal.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { DuckDBInstance } from '@duckdb/node-api';
import { pythonPeers } from '../test/peers/python.ts';
import { type S3Server, startMotoS3 } from '../test/peers/s3-servers.ts';
import { measured } from './support/measured-process.ts';
import { fetchPageBodies, type PageBody } from './support/page-bodies.ts';
import { builtProgram, machine, median } from './support/program.ts';
import { type SimulatorProcess, startSimulatorProcess } from './support/simulator-process.ts';

const { values } = parseArgs({
  options: {
    small: { type: 'boolean', default: false },
    accounts: { type: 'string' },
    regions: { type: 'string' },
    'jobs-per-day': { type: 'string' },
    days: { type: 'string' },
    rounds: { type: 'string' },
    'requests-per-second': { type: 'string', default: '1000' },
    /** More options of `export`, in one word: `--with "--concurrency 64"`. */
    with: { type: 'string', default: '' },
  },
});
const standard = values.small
  ? { accounts: 3, regions: 2, jobsPerDay: 20, days: 5, rounds: 1 }
  : { accounts: 20, regions: 4, jobsPerDay: 200, days: 30, rounds: 3 };
const accounts = Number(values.accounts ?? standard.accounts);
const regions = Number(values.regions ?? standard.regions);
const jobsPerDay = Number(values['jobs-per-day'] ?? standard.jobsPerDay);
const days = Number(values.days ?? standard.days);
const rounds = Number(values.rounds ?? standard.rounds);

interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Makes room for the next round. */
  empty(): Promise<void>;
  /** The folder of its Parquet files. */
  result(): Promise<string>;
}

interface Run {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly simulatorSeconds: number;
}

const folder = await mkdtemp(join(tmpdir(), 'bench-throughput-'));
const simulator = await startSimulatorProcess({
  accounts,
  regions,
  days,
  'jobs-per-day': jobsPerDay,
  'keep-pages': '8GiB',
});
const moto = await startMotoS3();
try {
  const regionNames = await regionsOf(simulator);
  const contenders = await makeContenders(regionNames);
  // With a single round, nothing is to be compared to a hundredth: none is lost to filling pages.
  if (rounds > 1) for (const contender of contenders) await runOnce(contender);
  const runs = new Map<Contender, Run[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of contenders) runs.get(contender)?.push(await runOnce(contender));
  }
  const rows = await sameRows(contenders);
  const limit = parseLimit(await fetchPageBodies(simulator.env, regionNames));
  print(runs, rows, limit);
} finally {
  await simulator.stop();
  await moto.stop();
  await rm(folder, { recursive: true, force: true });
}

async function makeContenders(regionNames: readonly string[]): Promise<readonly Contender[]> {
  const python = join(await pythonPeers(), 'python');
  const peer = (name: string) => join(import.meta.dirname, 'peers', name);
  const lake = join(folder, 'lake');
  const dataset = join(folder, 'dataset');
  const empty = (path: string) => () => rm(path, { recursive: true, force: true });
  const prefix = `s3://${moto.bucket}/copy_jobs`;
  return [
    {
      name: 'this program',
      command: [
        ...[process.execPath, builtProgram(), 'export', '--lake', lake, '--scratch', join(folder, 'scratch')],
        ...['--accounts', 'all', '--tables', 'copy_jobs', '--since', 'all'],
        ...['--requests-per-second', values['requests-per-second']],
        ...['--output', 'json', ...values.with.split(' ').filter(Boolean)],
      ],
      env: {},
      empty: empty(lake),
      result: async () => join(lake, 'copy_jobs'),
    },
    {
      name: 'boto3 + pyarrow',
      command: [python, peer('boto3_pyarrow.py'), dataset, ...regionNames],
      env: {},
      empty: empty(dataset),
      result: async () => dataset,
    },
    {
      name: 'boto3 + awswrangler',
      command: [python, peer('boto3_awswrangler.py'), prefix, ...regionNames],
      env: {
        AWS_ENDPOINT_URL_S3: moto.endpoint,
        WR_S3_ENDPOINT_URL: moto.endpoint,
      },
      // It replaces its partitions itself.
      empty: async () => undefined,
      result: () => download(moto, join(folder, 'downloaded')),
    },
  ];
}

/** As the simulator's own account sees them. */
async function regionsOf({ env }: SimulatorProcess): Promise<readonly string[]> {
  const { AccountClient, ListRegionsCommand } = await import('@aws-sdk/client-account');
  const client = new AccountClient({
    region: env.AWS_REGION ?? '',
    endpoint: env.AWS_ENDPOINT_URL_ACCOUNT ?? '',
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    },
  });
  const { Regions = [] } = await client.send(
    new ListRegionsCommand({ MaxResults: 50, RegionOptStatusContains: ['ENABLED', 'ENABLED_BY_DEFAULT'] }),
  );
  client.destroy();
  return Regions.flatMap(({ RegionName }) => RegionName ?? []);
}

async function runOnce({ name, command, env, empty }: Contender): Promise<Run> {
  await empty();
  const home = { HOME: folder, AWS_EC2_METADATA_DISABLED: 'true', TZ: 'UTC', PYTHONDONTWRITEBYTECODE: '1' };
  const before = await simulator.cpuSeconds();
  const run = await measured(command, { ...home, ...simulator.env, ...env });
  const after = await simulator.cpuSeconds();
  process.stderr.write(
    `${name}: ${run.wallSeconds.toFixed(1)} s, ${run.cpuSeconds.toFixed(1)} s of CPU, the simulator ${((after ?? 0) - (before ?? 0)).toFixed(1)} s\n`,
  );
  return { ...run, simulatorSeconds: (after ?? Number.NaN) - (before ?? Number.NaN) };
}

async function download(server: S3Server, into: string): Promise<string> {
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = server;
  const client = new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
  });
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket })) {
    for (const { Key = '' } of Contents) {
      const object = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
      const file = join(into, Key);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, (await object.Body?.transformToByteArray()) ?? new Uint8Array());
    }
  }
  client.destroy();
  return into;
}

/** How many rows there are; throws unless all have written the same ones. */
async function sameRows(contenders: readonly Contender[]): Promise<number> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const found = new Map<string, string>();
  let rows = 0;
  for (const contender of contenders) {
    const files = join(await contender.result(), '**/*.parquet');
    const answer = await connection.runAndReadAll(
      `SELECT count(*) AS jobs, count(DISTINCT copy_job_id), count(DISTINCT creation_date),
          bit_xor(hash(copy_job_id, account_id, region, state, status_message, backup_size_in_bytes::BIGINT,
            epoch_ms(creation_time::TIMESTAMP), epoch_ms(completion_time::TIMESTAMP), creation_date::VARCHAR))
        FROM read_parquet('${files}', hive_partitioning = true)`,
    );
    const values = answer.getRowsJS()[0] ?? [];
    rows = Number(values[0]);
    found.set(contender.name, values.map(String).join(' '));
  }
  connection.closeSync();
  instance.closeSync();
  if (new Set(found.values()).size !== 1) {
    throw new Error(
      `the contenders did not write the same rows: ${JSON.stringify(Object.fromEntries(found))}`,
    );
  }
  return rows;
}

/** Rows per CPU second of JSON.parse alone, over these bodies: the median of seven passes, after one to warm up. */
function parseLimit(pages: readonly PageBody[]): number {
  const records = pages.reduce((sum, page) => sum + page.records, 0);
  const pass = () => {
    const begun = process.cpuUsage();
    for (const { text } of pages) JSON.parse(text);
    const { user, system } = process.cpuUsage(begun);
    return (records * 1e6) / (user + system);
  };
  pass();
  return median(Array.from({ length: 7 }, pass));
}

function print(runs: ReadonlyMap<Contender, readonly Run[]>, rows: number, limit: number): void {
  const found = [...runs].map(([{ name }, its]) => ({
    name,
    perCpu: rows / median(its.map(({ cpuSeconds }) => cpuSeconds)),
    perWall: rows / median(its.map(({ wallSeconds }) => wallSeconds)),
    peak: median(its.map(({ peakBytes }) => peakBytes)),
    cores: median(its.map(({ cpuSeconds, wallSeconds }) => cpuSeconds / wallSeconds)),
    simulator: median(its.map(({ simulatorSeconds }) => simulatorSeconds)),
  }));
  const [ours, ...others] = found;
  if (ours === undefined) return;
  const whole = (value: number) => Math.round(value).toLocaleString('en');
  console.log(machine());
  console.log(
    `${whole(rows)} copy jobs of ${accounts * regions} targets, the same rows from all; medians of ${rounds}\n`,
  );
  for (const other of others) {
    const ratio = (ours.perCpu / other.perCpu).toFixed(2);
    const wall = (ours.perWall / other.perWall).toFixed(2);
    const peak = (ours.peak / other.peak).toFixed(2);
    console.log(
      `${ratio} × ${other.name} in rows per CPU second; ${wall} × in rows per second; ${peak} × its peak memory`,
    );
  }
  console.log(
    `${((100 * ours.perCpu) / limit).toFixed(1)} % of JSON.parse alone: ${whole(limit)} rows per CPU second from the same page bodies`,
  );
  console.log(`${ours.cores.toFixed(2)} CPU seconds in each second\n`);
  const width = Math.max(...found.map(({ name }) => name.length));
  const line = (cells: readonly string[]) => console.log(cells.map((cell) => cell.padStart(14)).join(''));
  process.stdout.write(' '.repeat(width));
  line(['rows/CPU s', 'rows/s', 'peak MB', 'CPU/wall', 'simulator s']);
  for (const { name, perCpu, perWall, peak, cores, simulator: itsSimulator } of found) {
    process.stdout.write(name.padEnd(width));
    line([whole(perCpu), whole(perWall), whole(peak / 1e6), cores.toFixed(2), itsSimulator.toFixed(1)]);
  }
}
