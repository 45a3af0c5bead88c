/**
 * Opens a lake as a read-only database: its tables and all views, in an engine that opens no other file, loads no
 * extensions, and whose settings no SQL can change.
 */
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { quoteName, quoteText } from '../lake/engines/sql-text.ts';
import { noLake, readRecord, recordMissing } from '../lake/lake-record.ts';
import { lakeKey, parseTableKey, tablePrefix } from '../lake/layout.ts';
import type { Scratch } from '../lake/scratch.ts';
import type { Store } from '../lake/stores/store.ts';
import { listRuns, readBegin } from '../ledger/read-runs.ts';
import { loadViews, type View } from '../questions/questions.ts';
import { identifiersOf } from '../questions/sql-tokens.ts';
import { LakeError, LinkError, NewerLakeError, PartChangedError, ScratchError } from '../shared/errors.ts';
import { exportCoverage } from '../tables/export-coverage.ts';
import { lakeTables } from '../tables/lake-tables.ts';
import type { Table } from '../tables/table.ts';
import { allDays, type DayRange, daysBefore, isWithin } from './day-range.ts';
import { downloadParts, findParts, localParts, type Part, type PartsFolder } from './lake-parts.ts';
import { checkParts } from './part-check.ts';
import { checkStatement, type Statement } from './read-only.ts';
import { readableParts } from './readable-parts.ts';
import { createTableView } from './table-view.ts';
import { type UnreadObject, UnreadObjects } from './unread-objects.ts';

/** Characters in a path that the engine reads as patterns or as partitions. */
const engineWildcards = /[*?[\]=]/;

export interface LakeReaderOptions {
  readonly store: Store;
  /** The folder of a local lake, whose parts are read in place; null: parts are downloaded into scratch. */
  readonly folder: string | null;
  readonly scratch: Pick<Scratch, 'folder' | 'reserve' | 'bytes' | 'limitBytes'>;
  readonly memoryLimitBytes: number;
  /** Limits copy jobs and summaries; the coverage is not limited. Default: all days. */
  readonly days?: DayRange;
  /** Names of the tables and views that will be queried; other tables stay empty. Default: all. */
  readonly names?: ReadonlySet<string>;
  readonly views?: readonly View[];
  /**
   * For a report that must say what it can of a damaged lake: parts that cannot be read are left out and named. With
   * `pages`, every page of every part is decoded first. Default: the first such part is an error.
   */
  readonly leaveOut?: { readonly pages: boolean };
  /** Default: the number of processors. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

export interface LakeReader {
  /** Read-only and locked. SQL from a person must go through `check` first. */
  readonly connection: DuckDBConnection;
  readonly views: readonly View[];
  /** The number of parts read. */
  readonly parts: number;
  /** Bytes downloaded; 0 for a local lake. */
  readonly bytes: number;
  /** The days of parts outside the range, ascending, without duplicates. */
  readonly leftOut: readonly string[];
  /** The day of the newest run that ended; null if there is none, or if the query does not need it. */
  readonly newestRun: string | null;
  /** Keys below a table that are not parts of it. */
  readonly foreign: readonly string[];
  /** With `leaveOut`: what could not be read. */
  readonly unread: readonly UnreadObject[];
  /** The only file that the engine may write: the Parquet output. */
  readonly outputFile: string;
  /** @throws UsageError for anything but a single statement that reads */
  check(sql: string): Promise<Statement>;
  /** Closes the engine and removes its scratch files. */
  close(): Promise<void>;
}

/** @throws LakeError if the lake cannot be read; ScratchError if its parts do not fit into scratch */
export async function openLakeReader(options: LakeReaderOptions): Promise<LakeReader> {
  const { store, days = allDays, views = loadViews(), signal } = options;
  const unread = options.leaveOut === undefined ? null : new UnreadObjects();
  const buckets = await bucketsOf(store, unread, signal);
  if (engineWildcards.test(options.scratch.folder)) {
    throw new ScratchError(
      `The path of the scratch folder ${options.scratch.folder} contains *, ?, [, ] or =, which the engine reads as a pattern`,
      'Set --scratch to a folder without these characters.',
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
      // The lake's "now" and how far a target was read do not depend on the days of the query.
      const asked = table === exportCoverage ? allDays : days;
      const found = await findParts(store, table, buckets ?? 0, asked, signal).catch((error: unknown) => {
        if (unread === null || !(error instanceof LinkError)) throw error;
        // Nobody can list what is behind a link.
        unread.add(tablePrefix(table), error);
        return { keys: [], leftOut: [], newest: null, foreign: [] };
      });
      const { coverageDays } = needed;
      const recent =
        table === exportCoverage && coverageDays !== null && found.newest !== null
          ? daysBefore(found.newest, coverageDays)
          : allDays;
      const isAsked = (key: string) => isWithin(parseTableKey(table, key, buckets ?? 0)?.day ?? '', recent);
      keys.set(table, recent === allDays ? found.keys : found.keys.filter(isAsked));
      for (const key of found.foreign) foreign.push(key);
      for (const day of found.leftOut) leftOut.add(day);
      if (table === exportCoverage) newestRun = found.newest;
    }
    if (buckets === null) {
      const [first] = [...keys.values(), foreign].flat();
      if (first !== undefined) throw recordMissing(store.url, first);
      throw noLake(store.url);
    }
    const reserve = (bytes: number) => {
      const give = options.scratch.reserve(bytes);
      reserved.push(give);
      return give;
    };
    const { parts, bytes } =
      options.folder === null
        ? await fetched(store, [...keys.values()].flat(), { scratch: { reserve }, folder, unread }, signal)
        : {
            parts: await localParts(
              await plainPath(options.folder, folder),
              [...keys.values()].flat(),
              unread,
            ),
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
    // Set here, because as an option of the instance it has no effect (github.com/josefbacik/systing/pull/241).
    const { scratch } = options;
    await connection.run(`SET max_temp_directory_size = '${scratch.limitBytes - scratch.bytes()}B'`);
    const lake = { url: store.url, buckets };
    for (const table of lakeTables) {
      const { leaveOut } = options;
      if (leaveOut === undefined || unread === null) {
        await createTableView(connection, table, partsOf(table));
        await checkParts(connection, table, partsOf(table), lake);
      } else {
        const how = { lake, unread, pages: leaveOut.pages };
        await createTableView(connection, table, await readableParts(connection, table, partsOf(table), how));
      }
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
      unread: unread?.list ?? [],
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
 * After this, no SQL can open another file or undo the lock
 * (https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview).
 */
async function lock(connection: DuckDBConnection, files: readonly string[]): Promise<void> {
  await connection.run(`SET allowed_paths = [${files.map(quoteText)}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
}

/**
 * Views that need only the newest days of the coverage, with the number of days before the newest that their SQL reads.
 * Most questions use them, and reading years of coverage would be slow.
 */
const recentCoverage: ReadonlyMap<string, number> = new Map([
  ['lake_time', 0],
  ['account_names', 35],
]);

interface Needed {
  readonly tables: readonly Table[];
  /** How many days of coverage before the newest are read; null: all. */
  readonly coverageDays: number | null;
}

/** The tables that the named tables and views read; every table without names. */
function neededFor(names: ReadonlySet<string> | undefined, views: readonly View[]): Needed {
  if (names === undefined) return { tables: lakeTables, coverageDays: null };
  const wanted = new Set(names);
  // In reverse order, because each view comes after the views that it reads.
  for (const view of views.toReversed()) {
    if (!wanted.has(view.name) || recentCoverage.has(view.name)) continue;
    for (const name of identifiersOf(view.sql)) wanted.add(name.toLowerCase());
  }
  const recent = [...recentCoverage].filter(([name]) => wanted.has(name)).map(([, days]) => days);
  const coverageDays = wanted.has(exportCoverage.name) || recent.length === 0 ? null : Math.max(...recent);
  if (coverageDays !== null) wanted.add(exportCoverage.name);
  return { tables: lakeTables.filter(({ name }) => wanted.has(name)), coverageDays };
}

/**
 * How many buckets the lake has; null: it has no record. If the record cannot be read and a report asks all the same, the newest
 * run that began knows it.
 */
async function bucketsOf(
  store: Store,
  unread: UnreadObjects | null,
  signal: AbortSignal | undefined,
): Promise<number | null> {
  try {
    const record = await readRecord(store, lakeTables, signal);
    if (record !== null || unread === null) return record?.buckets ?? null;
    const known = await bucketsOfNewestRun(store, signal);
    if (known !== null) unread.add(lakeKey, 'it is gone');
    return known;
  } catch (error) {
    if (unread === null || !(error instanceof LakeError) || error instanceof NewerLakeError) throw error;
    const known = await bucketsOfNewestRun(store, signal);
    if (known === null) throw error;
    unread.add(lakeKey, error);
    return known;
  }
}

async function bucketsOfNewestRun(store: Store, signal: AbortSignal | undefined): Promise<number | null> {
  const { runs } = await listRuns(store, signal === undefined ? {} : { signal });
  for (const run of runs.filter(({ hasBegin }) => hasBegin).reverse()) {
    const begin = await readBegin(store, run, signal);
    if (begin !== null) return begin.buckets;
  }
  return null;
}

async function fetched(
  store: Store,
  keys: readonly string[],
  into: PartsFolder,
  signal: AbortSignal | undefined,
): Promise<{ readonly parts: readonly Part[]; readonly bytes: number }> {
  const found = await downloadParts(store, keys, { ...into, folder: join(into.folder, 'parts') }, signal);
  if (found !== null) return found;
  throw new PartChangedError(
    `A part of ${store.url} was removed between being listed and being read`,
    'This program never removes parts. Find out what does, then run the query again.',
  );
}

/**
 * The engine reads `*`, `?` and `[` in a path as patterns, and `name=value` folders as partitions. A lake with such a
 * path is read through a link in the scratch folder.
 */
async function plainPath(lake: string, scratch: string): Promise<string> {
  if (!engineWildcards.test(lake)) return lake;
  const link = join(scratch, 'lake');
  await symlink(lake, link, 'junction');
  return link;
}
