/**
 * The same rows of one day, as each writer makes a Parquet file of them: bytes per row, and the share of the rows that a reader such as
 * Athena has to read for typical filters, because minimum and maximum or a bloom filter of their row group do not
 * rule them out. Then the same for other settings of the program's own writer.
 *
 *   npm run bench -- part-quality [--small] [--accounts 50] [--regions 4] [--jobs-per-day 250] [--seed 7]
 *
 * The rows come from an export against the simulator. Each filter is tried with values of 25 rows, the same for all files.
 */
import { globSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { parquetWriteFile } from 'hyparquet-writer';
import { openPart, readPart } from '../src/lake/engines/part-reader.ts';
import { writePart } from '../src/lake/engines/part-writer.ts';
import { copyJobs } from '../src/tables/copy-jobs.ts';
import type { Row } from '../src/tables/table.ts';
import { pythonPeers } from '../test/peers/python.ts';
import { measured } from './support/measured-process.ts';
import { builtProgram, machine, median } from './support/program.ts';
import { startSimulatorProcess } from './support/simulator-process.ts';

const { values } = parseArgs({
  options: {
    small: { type: 'boolean', default: false },
    accounts: { type: 'string' },
    regions: { type: 'string' },
    'jobs-per-day': { type: 'string' },
    seed: { type: 'string', default: '7' },
  },
});
const accounts = Number(values.accounts ?? (values.small ? 3 : 50));
const regions = Number(values.regions ?? (values.small ? 2 : 4));
const rounds = values.small ? 1 : 5;
const jobsPerDay = Number(values['jobs-per-day'] ?? (values.small ? 50 : 250));

/** What people ask for: one value of each column, or the hour that begins with it. */
const filters = {
  account: ['account_id'],
  'account, region': ['account_id', 'region'],
  'hour of creation': ['creation_time'],
  'state FAILED': ['state'],
  'destination account': ['destination_account_id'],
  resource: ['resource_arn'],
  'job id': ['copy_job_id'],
} as const satisfies Record<string, readonly string[]>;
const columns = [...new Set(Object.values(filters).flat())];

interface Quality {
  readonly bytesPerRow: number;
  readonly groups: number;
  /** CPU microseconds per row to write it; null where it was another process. */
  readonly micros: number | null;
  /** By filter: the share of the rows that have to be read. */
  readonly read: ReadonlyMap<string, number>;
}

/** Settings of DuckDB’s writer. The first is what the program uses. */
const settings: Readonly<Record<string, string>> = {
  'as the program': 'ROW_GROUP_SIZE 10240, COMPRESSION_LEVEL 1',
  'row groups of 4,096': 'ROW_GROUP_SIZE 4096, COMPRESSION_LEVEL 1',
  'row groups of 20,480': 'ROW_GROUP_SIZE 20480, COMPRESSION_LEVEL 1',
  'row groups of 122,880': 'ROW_GROUP_SIZE 122880, COMPRESSION_LEVEL 1',
  'zstd level 2': 'ROW_GROUP_SIZE 10240, COMPRESSION_LEVEL 2',
  'zstd level 3': 'ROW_GROUP_SIZE 10240, COMPRESSION_LEVEL 3',
  'zstd level 6': 'ROW_GROUP_SIZE 10240, COMPRESSION_LEVEL 6',
  'zstd level 9': 'ROW_GROUP_SIZE 10240, COMPRESSION_LEVEL 9',
  'without bloom filters': 'ROW_GROUP_SIZE 10240, COMPRESSION_LEVEL 1, WRITE_BLOOM_FILTER false',
  'larger dictionaries':
    'ROW_GROUP_SIZE 10240, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 10240, STRING_DICTIONARY_PAGE_SIZE_LIMIT 16777216',
  'no dictionaries': 'ROW_GROUP_SIZE 10240, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 1',
  'Parquet version 2': 'ROW_GROUP_SIZE 10240, COMPRESSION_LEVEL 1, PARQUET_VERSION v2',
};

const orders: Readonly<Record<string, string>> = {
  'sorted by time': 'creation_time, account_id, region, copy_job_id',
  'sorted by account, region, resource': 'account_id, region, resource_arn, creation_time, copy_job_id',
  'sorted by region, account, time': 'region, account_id, creation_time, copy_job_id',
};

const folder = await mkdtemp(join(tmpdir(), 'bench-part-quality-'));
const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
const connection = await instance.connect();
try {
  const part = await largestPart();
  await connection.run(`CREATE TABLE all_rows AS FROM read_parquet('${part}', hive_partitioning = false)`);
  const samples = await sample(connection);
  const rows = await count(part);
  const writers = new Map<string, Quality>([['this program', await qualityOf(part, null, samples)]]);
  for (const [name, write] of Object.entries(await peers(part))) {
    const file = join(folder, `${name.replaceAll(/\W+/g, '-')}.parquet`);
    const micros = await write(file);
    await sameRows(part, file, name);
    writers.set(name, await qualityOf(file, micros, samples));
  }
  const tried = await trySettings(samples);
  console.log(machine());
  console.log(
    `${rows.toLocaleString('en')} copy jobs of one day and ${accounts * regions} targets, the same rows in every file.\nAfter each %: the share of the rows that has to be read for one value of it.\n`,
  );
  print(writers);
  console.log(`\nSettings of DuckDB’s writer, CPU as the median of ${rounds}`);
  print(tried);
} finally {
  connection.closeSync();
  instance.closeSync();
  await rm(folder, { recursive: true, force: true });
}

/** Of a lake that the program has made: the part with the most bytes. */
async function largestPart(): Promise<string> {
  const flags = { accounts, regions, 'jobs-per-day': jobsPerDay, days: 2, seed: values.seed };
  const simulator = await startSimulatorProcess(flags);
  try {
    const lake = join(folder, 'lake');
    await measured(
      [
        ...[process.execPath, builtProgram(), 'export', '--lake', lake, '--scratch', join(folder, 'scratch')],
        ...['--accounts', 'all', '--tables', 'copy_jobs', '--output', 'json'],
      ],
      { ...simulator.env, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' },
    );
    const parts = globSync('copy_jobs/**/*.parquet', { cwd: lake }).map((file) => join(lake, file));
    const sizes = await Promise.all(parts.map(async (file) => ({ file, size: (await stat(file)).size })));
    const largest = sizes.sort((a, b) => b.size - a.size)[0];
    if (largest === undefined) throw new Error('the export wrote no part');
    return largest.file;
  } finally {
    await simulator.stop();
  }
}

/** Each writes the part's rows, in the part's order, and tells the CPU that it took. */
async function peers(
  part: string,
): Promise<Readonly<Record<string, (file: string) => Promise<number | null>>>> {
  const python = join(await pythonPeers(), 'python');
  const pyarrow = (file: string, ...size: string[]) =>
    measured([python, join(import.meta.dirname, 'peers/pyarrow_rewrite.py'), part, file, ...size], {}).then(
      () => null,
    );
  const rows: Row[] = [];
  for await (const some of readPart(await openPart(part), copyJobs)) rows.push(...some);
  return {
    pyarrow: (file) => pyarrow(file),
    'pyarrow, groups of 10,240': (file) => pyarrow(file, '10240'),
    'hyparquet-writer': (file) => micros(rows.length, () => writeWithHyparquet(rows, file)),
    'parquetjs-lite (--engine)': (file) => micros(rows.length, () => writePart(copyJobs, rows, file, {})),
  };
}

async function writeWithHyparquet(rows: readonly Row[], filename: string): Promise<void> {
  const types = { text: 'STRING', bigint: 'INT64', boolean: 'BOOLEAN', timestamp: 'TIMESTAMP' } as const;
  await parquetWriteFile({
    filename,
    columnData: copyJobs.columns.map(({ name, type }) => ({
      name,
      type: types[type],
      nullable: true,
      data: rows.map((row) => {
        const value = row[name];
        if (value === null || value === undefined) return null;
        if (type === 'bigint') return BigInt(value);
        return type === 'timestamp' ? new Date(Number(value)) : value;
      }),
    })),
  });
}

/** Each is written `rounds` times, in turn: the CPU is the median. */
async function trySettings(samples: Samples): Promise<ReadonlyMap<string, Quality>> {
  const sorted = copyJobs.sortBy.join(', ');
  const program = Object.values(settings)[0] ?? '';
  const all = [
    ...Object.entries(settings).map(([name, options]) => ({ name, order: sorted, options })),
    ...Object.entries(orders).map(([name, order]) => ({ name, order, options: program })),
  ];
  const file = join(folder, 'setting.parquet');
  const rows = await count(null);
  const used = new Map<string, number[]>(all.map(({ name }) => [name, []]));
  const found = new Map<string, Quality>();
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, order, options } of all) {
      await rm(file, { force: true });
      const select = `FROM all_rows ORDER BY ${order}`;
      const copy = `COPY (${select}) TO '${file}' (FORMAT parquet, COMPRESSION zstd, ${options})`;
      used.get(name)?.push(await micros(rows, () => connection.run(copy)));
      if (round < rounds - 1) continue;
      found.set(name, await qualityOf(file, median(used.get(name) ?? []), samples));
    }
  }
  return found;
}

async function micros(rows: number, work: () => Promise<unknown>): Promise<number> {
  const begun = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / rows;
}

type Samples = readonly Readonly<Record<string, string>>[];

/** Values of rows, as text, in a fixed order that has nothing to do with the rows' order. */
async function sample(from: DuckDBConnection): Promise<Samples> {
  const reader = await from.runAndReadAll(
    `SELECT ${columns.map((name) => `${name}::VARCHAR AS ${name}`)} FROM all_rows
     WHERE ${columns.map((name) => `${name} IS NOT NULL`).join(' AND ')} ORDER BY hash(copy_job_id) LIMIT ${values.small ? 2 : 25}`,
  );
  return reader
    .getRowObjectsJS()
    .map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value)])));
}

async function count(file: string | null): Promise<number> {
  const from = file === null ? 'all_rows' : `read_parquet('${file}')`;
  const reader = await connection.runAndReadAll(`SELECT count(*) FROM ${from}`);
  return Number(reader.getRowsJS()[0]?.[0]);
}

async function sameRows(expected: string, found: string, name: string): Promise<void> {
  const typed = copyJobs.columns.map(({ name: column, type }) =>
    type === 'timestamp' ? `epoch_ms(${column}::TIMESTAMP)` : type === 'text' ? `${column}::VARCHAR` : column,
  );
  const answers = await Promise.all(
    [expected, found].map(async (file) => {
      const reader = await connection.runAndReadAll(
        `SELECT count(*), sum(hash(${typed})::HUGEINT) FROM read_parquet('${file}', hive_partitioning = false)`,
      );
      return reader.getRowsJS()[0]?.map(String).join(' ');
    }),
  );
  if (answers[0] !== answers[1]) throw new Error(`${name} did not write the same rows: ${basename(found)}`);
}

async function qualityOf(file: string, used: number | null, samples: Samples): Promise<Quality> {
  const rows = await count(file);
  const groups = await connection.runAndReadAll(
    `SELECT count(DISTINCT row_group_id) FROM parquet_metadata('${file}')`,
  );
  const read = new Map<string, number>();
  for (const [name, its] of Object.entries(filters)) {
    let found = 0;
    for (const values of samples) found += await rowsRead(file, its, values);
    read.set(name, found / samples.length / rows);
  }
  return {
    bytesPerRow: (await stat(file)).size / rows,
    groups: Number(groups.getRowsJS()[0]?.[0]),
    micros: used,
    read,
  };
}

/** Rows in the row groups that no column of the filter rules out. */
async function rowsRead(
  file: string,
  its: readonly string[],
  values: Readonly<Record<string, string>>,
): Promise<number> {
  const ruledOut = its.map((column) => {
    // Most jobs are COMPLETED; nobody looks for those.
    const value = column === 'state' ? "'FAILED'" : `'${(values[column] ?? '').replaceAll("'", "''")}'`;
    const [low, high, from, to] =
      column === 'creation_time'
        ? [
            // Not every column's statistics are times, and they may be cast before they are filtered.
            ...['TRY_CAST(stats_min_value AS TIMESTAMP)', 'TRY_CAST(stats_max_value AS TIMESTAMP)'],
            ...[`${value}::TIMESTAMP`, `${value}::TIMESTAMP + INTERVAL 1 HOUR`],
          ]
        : ['stats_min_value', 'stats_max_value', value, value];
    const outside = `SELECT row_group_id FROM parquet_metadata('${file}')
      WHERE path_in_schema = '${column}' AND (${high} < ${from} OR ${low} > ${to})`;
    return column === 'creation_time'
      ? outside
      : `${outside} UNION SELECT row_group_id FROM parquet_bloom_probe('${file}', '${column}', ${value}) WHERE bloom_filter_excludes`;
  });
  const reader = await connection.runAndReadAll(
    `SELECT coalesce(sum(row_group_num_rows), 0) FROM
       (SELECT DISTINCT row_group_id, row_group_num_rows FROM parquet_metadata('${file}'))
     WHERE row_group_id NOT IN (${ruledOut.join(' UNION ')})`,
  );
  return Number(reader.getRowsJS()[0]?.[0]);
}

function print(found: ReadonlyMap<string, Quality>): void {
  const base = [...found.values()][0];
  if (base === undefined) return;
  console.table(
    Object.fromEntries(
      [...found].map(([name, { bytesPerRow, groups, micros: used, read }]) => [
        name,
        {
          'bytes a row': `${bytesPerRow.toFixed(1)} (${(bytesPerRow / base.bytesPerRow).toFixed(2)})`,
          'row groups': groups,
          'µs a row': used === null ? '–' : used.toFixed(1),
          ...Object.fromEntries(
            [...read].map(([filter, share]) => [`% ${filter}`, (100 * share).toFixed(0)]),
          ),
        },
      ]),
    ),
  );
}
