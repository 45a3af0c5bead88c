/**
 * A lake as a database that can only be read: the three tables and all views, in an engine of its own that opens
 * no other file, loads nothing, and whose settings no SQL can change.
 */
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { quoteName, quoteText } from '../lake/engines/sql-text.ts';
import { readRecord, recordMissing } from '../lake/lake-record.ts';
import { lakeKey, parseTableKey } from '../lake/layout.ts';
import type { Scratch } from '../lake/scratch.ts';
import type { Store } from '../lake/stores/store.ts';
import { loadViews, type View } from '../questions/questions.ts';
import { identifiersOf } from '../questions/sql-tokens.ts';
import { LakeError, PartChangedError, ScratchError } from '../shared/errors.ts';
import { copyJobSummaries } from '../tables/copy-job-summaries.ts';
import { copyJobs } from '../tables/copy-jobs.ts';
import { exportCoverage } from '../tables/export-coverage.ts';
import type { Table } from '../tables/table.ts';
import { allDays, type DayRange, daysBefore, isWithin } from './day-range.ts';
import { downloadParts, findParts, localParts, type Part } from './lake-parts.ts';
import { checkParts } from './part-check.ts';
import { checkStatement, type Statement } from './read-only.ts';
import { createTableView } from './table-view.ts';

export const lakeTables: readonly Table[] = [copyJobs, copyJobSummaries, exportCoverage];

/** What the engine takes for patterns, and for partitions, in a path. */
const engineWildcards = /[*?[\]=]/;

export interface LakeReaderOptions {
  readonly store: Store;
  /** The lake's folder, whose parts are read where they lie; null: parts are downloaded into scratch. */
  readonly folder: string | null;
  readonly scratch: Pick<Scratch, 'folder' | 'reserve' | 'bytes' | 'limitBytes'>;
  readonly memoryLimitBytes: number;
  /** Of copy jobs and summaries; what the runs say of themselves is read whole. Default: all. */
  readonly days?: DayRange;
  /** Names of tables and views that will be asked; the other tables stay empty. Default: all. */
  readonly names?: ReadonlySet<string>;
  readonly views?: readonly View[];
  /** Default: as many as there are processors. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

export interface LakeReader {
  /** Read-only and locked. Whoever asks what a person wrote goes through `check` first. */
  readonly connection: DuckDBConnection;
  readonly views: readonly View[];
  /** What was found, and for a lake that is not local downloaded. */
  readonly parts: number;
  /** Bytes downloaded; 0 for a local lake. */
  readonly bytes: number;
  /** The days of those that were not asked for, ascending, none twice. */
  readonly leftOut: readonly string[];
  /** The day of the newest run that ended; null when there is none, or nothing that is asked goes by it. */
  readonly newestRun: string | null;
  /** Keys that lie below a table and are no parts of it. */
  readonly foreign: readonly string[];
  /** The one file that the engine may write: for Parquet output. */
  readonly outputFile: string;
  /** @throws UsageError for anything but one statement that reads */
  check(sql: string): Promise<Statement>;
  /** Lets go of the engine and of all that lies in scratch. */
  close(): Promise<void>;
}

/** @throws LakeError when the lake cannot be read; ScratchError when its parts do not fit */
export async function openLakeReader(options: LakeReaderOptions): Promise<LakeReader> {
  const { store, days = allDays, views = loadViews(), signal } = options;
  const record = await readRecord(store, lakeTables, signal);
  if (engineWildcards.test(options.scratch.folder)) {
    throw new ScratchError(
      `The scratch folder ${options.scratch.folder} has a *, ?, [, ] or = in its path, which the engine takes for a pattern`,
      'Name a folder without them (--scratch).',
    );
  }
  const folder = await mkdtemp(join(options.scratch.folder, 'query-'));
  const reserved: (() => void)[] = [];
  let instance: DuckDBInstance | undefined;
  const close = async (): Promise<void> => {
    instance?.closeSync();
    await rm(folder, { recursive: true, force: true });
    for (const give of reserved) give();
  };
  try {
    const needed = neededFor(options.names, views);
    const foreign: string[] = [];
    const leftOut = new Set<string>();
    let newestRun: string | null = null;
    const keys = new Map<Table, readonly string[]>();
    for (const table of needed.tables) {
      // The lake's now, and through when a target was read, are the same whatever days are asked for.
      const asked = table === exportCoverage ? allDays : days;
      const found = await findParts(store, table, record?.buckets ?? 0, asked, signal);
      const { coverageDays } = needed;
      const recent =
        table === exportCoverage && coverageDays !== null && found.newest !== null
          ? daysBefore(found.newest, coverageDays)
          : allDays;
      const isAsked = (key: string) =>
        isWithin(parseTableKey(table, key, record?.buckets ?? 0)?.day ?? '', recent);
      keys.set(table, recent === allDays ? found.keys : found.keys.filter(isAsked));
      foreign.push(...found.foreign);
      for (const day of found.leftOut) leftOut.add(day);
      if (table === exportCoverage) newestRun = found.newest;
    }
    if (record === null) {
      const [first] = [...keys.values(), foreign].flat();
      if (first !== undefined) throw recordMissing(store.url, first);
      throw new LakeError(
        `There is no lake in ${store.url}: no ${lakeKey}, and no parts of the tables`,
        'Look whether --lake names the place that export writes to.',
      );
    }
    const reserve = (bytes: number) => {
      const give = options.scratch.reserve(bytes);
      reserved.push(give);
      return give;
    };
    const { parts, bytes } =
      options.folder === null
        ? await fetched(store, [...keys.values()].flat(), { reserve }, folder, signal)
        : {
            parts: await localParts(await plainPath(options.folder, folder), [...keys.values()].flat()),
            bytes: 0,
          };
    const byKey = new Map(parts.map((part) => [part.key, part]));
    const partsOf = (table: Table): readonly Part[] =>
      (keys.get(table) ?? []).flatMap((key) => byKey.get(key) ?? []);

    const outputFile = join(folder, 'output.parquet');
    const spill = join(folder, 'spill');
    await mkdir(spill);
    instance = await DuckDBInstance.create(':memory:', {
      memory_limit: `${options.memoryLimitBytes}B`,
      threads: String(options.threads ?? availableParallelism()),
      temp_directory: spill,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      allow_community_extensions: 'false',
    });
    const connection = await instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
    // As an option of the instance it would not hold (github.com/josefbacik/systing/pull/241 says why).
    const { scratch } = options;
    await connection.run(`SET max_temp_directory_size = '${scratch.limitBytes - scratch.bytes()}B'`);
    const { url } = store;
    for (const table of lakeTables) {
      await createTableView(connection, table, partsOf(table));
      await checkParts(connection, table, partsOf(table), { url, buckets: record.buckets });
    }
    for (const { name, sql } of views) {
      await connection.run(`CREATE VIEW ${quoteName(name)} AS ${sql}`);
    }
    await lock(connection, [...parts.map(({ file }) => file), outputFile]);
    return {
      connection,
      views,
      parts: parts.length,
      bytes,
      leftOut: [...leftOut].sort(),
      newestRun,
      foreign,
      outputFile,
      check: (sql) => checkStatement(connection, sql),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * After this no SQL opens another file, and none undoes it
 * (https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview).
 */
async function lock(connection: DuckDBConnection, files: readonly string[]): Promise<void> {
  await connection.run(`SET allowed_paths = [${files.map(quoteText)}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
}

/**
 * The views that make do with the newest days of the coverage, and how many before the newest they look at, as their
 * SQL says: questions ask them, and years of runs add up.
 */
const recentCoverage: ReadonlyMap<string, number> = new Map([
  ['lake_time', 0],
  ['account_names', 35],
]);

interface Needed {
  readonly tables: readonly Table[];
  /** How many days before the newest are asked of the coverage; null: all. */
  readonly coverageDays: number | null;
}

/** What the named tables and views read; all when no names are said. */
function neededFor(names: ReadonlySet<string> | undefined, views: readonly View[]): Needed {
  if (names === undefined) return { tables: lakeTables, coverageDays: null };
  const wanted = new Set(names);
  // Views come after those that they read.
  for (const view of views.toReversed()) {
    if (!wanted.has(view.name) || recentCoverage.has(view.name)) continue;
    for (const name of identifiersOf(view.sql)) wanted.add(name.toLowerCase());
  }
  const recent = [...recentCoverage].filter(([name]) => wanted.has(name)).map(([, days]) => days);
  const coverageDays = wanted.has(exportCoverage.name) || recent.length === 0 ? null : Math.max(...recent);
  if (coverageDays !== null) wanted.add(exportCoverage.name);
  return { tables: lakeTables.filter(({ name }) => wanted.has(name)), coverageDays };
}

async function fetched(
  store: Store,
  keys: readonly string[],
  scratch: Pick<Scratch, 'reserve'>,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly parts: readonly Part[]; readonly bytes: number }> {
  const found = await downloadParts(store, keys, scratch, join(folder, 'parts'), signal);
  if (found !== null) return found;
  throw new PartChangedError(
    `A part of ${store.url} went away between being listed and being read`,
    'Nothing of this program removes parts: look who does, and ask again.',
  );
}

/**
 * The engine takes `*`, `?` and `[` in a path for patterns, and `name=value` folders for partitions: such a lake is
 * read through a link from scratch.
 */
async function plainPath(lake: string, scratch: string): Promise<string> {
  if (!engineWildcards.test(lake)) return lake;
  const link = join(scratch, 'lake');
  await symlink(lake, link, 'junction');
  return link;
}
