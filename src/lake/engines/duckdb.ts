/** The default engine. It merges in DuckDB's SQL, from files to a file, within a memory limit. */
import { rm, stat } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { Semaphore } from 'async-mutex';
import { EngineError, MisplacedRows, ReportedError, ScratchError } from '../../shared/errors.ts';
import type { ColumnType, Table } from '../../tables/table.ts';
import {
  contradiction,
  dayColumn,
  outsideBucket,
  outsideDay,
  partitionText,
  placementMetadata,
} from '../part-placement.ts';
import { isManyRows, writeInRanges } from './account-ranges.ts';
import { hasColumn } from './column-roles.ts';
import { type Database, type DuckDbOptions, openDatabase } from './duckdb-database.ts';
import { rowsOf } from './duckdb-rows.ts';
import {
  type Engine,
  type MergeOutcome,
  type MergeRequest,
  mostUnlike,
  type StagedFate,
  stagedBytesOf,
} from './engine.ts';
import { isOnlyStaged, mergeFewRows } from './few-rows.ts';
import { hasFewStaged, mergeFewStaged } from './few-staged.ts';
import { aside, isWide, writeWithTexts } from './long-texts.ts';
import {
  copySql,
  existingSql,
  type MergeStep,
  mergeSql,
  onlyStagedSql,
  partSql,
  stageSql,
} from './merge-sql.ts';
import { refuseNewerSchema } from './part-schema.ts';
import { ShortFiles } from './short-files.ts';
import { quoteFile, quoteName, quoteText } from './sql-text.ts';
import { TypedLines } from './typed-lines.ts';

/** @throws EngineError when DuckDB cannot start or scratch cannot be written. */
export async function openDuckDb(options: DuckDbOptions): Promise<Engine> {
  const atOnce = options.memoryLimitBytes < leastToShare ? 1 : (options.mergesAtOnce ?? 1);
  const idle = await Promise.all(Array.from({ length: atOnce }, () => openDatabase(options)));
  const typedLines =
    options.memoryLimitBytes < leastToShare
      ? null
      : new TypedLines(await openDatabase(options), options.memoryLimitBytes / 4);
  // A merge that is alone begins with half of the memory: see below.
  const share = Math.floor(options.memoryLimitBytes / 2 / atOnce);
  // First come, first served: what needs all places is not overtaken.
  const places = new Semaphore(atOnce);
  const within = <T>(needed: number, work: (database: Database) => Promise<T>): Promise<T> =>
    places.runExclusive(async () => {
      const database = idle.pop();
      if (database === undefined) throw new TypeError('there are more merges than places');
      return await work(database).finally(() => idle.push(database));
    }, needed);
  return {
    name: 'duckdb',
    merge: async (request) => {
      const few = await within(1, (database) => mergeFew(request, options, database, share));
      if (few !== null) return few;
      const alone = () => within(atOnce, (database) => merge(request, options, database));
      if (atOnce === 1 || (await bytesOf(request)) > options.memoryLimitBytes / 16) return await alone();
      const outcome = await within(1, (database) => mergeBesideOthers(request, options, database, share));
      return outcome ?? (await alone());
    },
    ...(typedLines === null ? {} : { typed: (request) => typedLines.write(request) }),
    close: async () => {
      await typedLines?.close();
      await places.runExclusive(async () => {
        await Promise.all(idle.map((database) => database.remove()));
      }, atOnce);
    },
  };
}

/** With less memory, merges run one at a time: DuckDB needs some 30 MiB to read staged lines, however few there are. */
const leastToShare = 256 * 2 ** 20;

/** Above this, JavaScript takes more time per row than it saves. */
const rowsInMemory = 3_000;

/** Null: see mergeFewRows; or its share of the memory does not suffice. */
async function mergeFew(
  request: MergeRequest,
  options: DuckDbOptions,
  database: Database,
  memoryBytes: number,
): Promise<MergeOutcome | null> {
  if (await exceedsScratch(request, options)) return null;
  const room = options.claim?.();
  try {
    return await mergeFewRows(request, options.rowsInMemory ?? rowsInMemory, database, memoryBytes);
  } catch (error) {
    if (error instanceof ReportedError) throw error;
    // As after other merges that failed.
    database.close();
    if (isOutOfMemory(error)) return null;
    throw mergeError(error, request, options.memoryLimitBytes, room?.bytes);
  } finally {
    room?.release();
  }
}

/** Text that Parquet has compressed takes at most so many times its bytes as lines; and lines of few rows so many bytes. */
const linesOfParquet = 40;
const mostLineBytes = 16 * 2 ** 20;

/** Whether the rows, as lines that DuckDB reads, may take more of scratch than a merge is given. */
async function exceedsScratch(request: MergeRequest, { claim }: DuckDbOptions): Promise<boolean> {
  const room = claim?.();
  if (room === undefined) return false;
  room.release();
  const published = request.existing === null ? 0 : (await stat(request.existing)).size;
  const lines = Math.min(published * linesOfParquet, mostLineBytes);
  return lines + (await stagedBytesOf(request)) > room.bytes;
}

/** Null: its share of the memory or of scratch does not suffice. */
async function mergeBesideOthers(
  request: MergeRequest,
  options: DuckDbOptions,
  database: Database,
  memoryBytes: number,
): Promise<MergeOutcome | null> {
  const room = options.claim?.();
  try {
    return await inDatabase(
      request,
      options,
      database,
      { room: room?.bytes, bytes: memoryBytes },
      'in place',
    );
  } catch (error) {
    if (isOutOfMemory(error) || isOutOfRoom(error)) return null;
    throw mergeError(error, request, options.memoryLimitBytes, room?.bytes);
  } finally {
    room?.release();
  }
}

/**
 * First tries a normal merge in half of the memory: what DuckDB needs beyond its limit grows with it, and what does not fit
 * goes to disk. If that does not suffice, all of it; if memory still does not suffice, long texts are set aside. If rows are
 * known to be wide, long texts are set aside from the start.
 */
async function merge(
  request: MergeRequest,
  options: DuckDbOptions,
  database: Database,
): Promise<MergeOutcome> {
  const room = options.claim?.();
  const limit = options.memoryLimitBytes;
  const go = (texts: Texts, bytes: number) =>
    inDatabase(request, options, database, { room: room?.bytes, bytes }, texts);
  try {
    return await go('in place', Math.floor(limit / 2))
      .catch((error: unknown) => {
        if (!isOutOfMemory(error) && !isOutOfRoom(error)) throw error;
        return go('in place', limit);
      })
      .catch((error: unknown) => {
        if (!isOutOfMemory(error)) throw error;
        return go('aside', limit);
      });
  } catch (error) {
    throw mergeError(error, request, options.memoryLimitBytes, room?.bytes);
  } finally {
    room?.release();
  }
}

/** Whether long texts stay in the rows. `in place` does not apply to rows that are known to be wide. */
type Texts = 'in place' | 'aside';

async function inDatabase(
  request: MergeRequest,
  options: DuckDbOptions,
  database: Database,
  { room, bytes }: { readonly room: number | undefined; readonly bytes: number },
  texts: Texts,
): Promise<MergeOutcome> {
  await rm(request.output, { force: true });
  const short = new ShortFiles(`${request.output}.short`);
  let connection: DuckDBConnection | undefined;
  try {
    connection = await database.connect(room, bytes);
    const wide = await isWide(connection, request);
    let staged = request.staged;
    if (wide || texts === 'aside') {
      await short.cut(staged, room === undefined ? undefined : Math.floor(room / 2));
      staged = short.files;
      if (room !== undefined) {
        await connection.run(`SET max_temp_directory_size = '${room - short.bytes}B'`);
      }
    }
    const outcome = await mergeIn(
      connection,
      { ...request, staged },
      { database, texts, wide, memoryLimitBytes: options.memoryLimitBytes, room },
    );
    if ((await bytesOf(request)) > smallMerge) database.close();
    return outcome;
  } catch (error) {
    // The next merge starts with a new database: this one may still hold memory or be in a state that nobody expects.
    database.close();
    await rm(request.output, { force: true });
    throw error;
  } finally {
    connection?.closeSync();
    await short.remove();
  }
}

interface MergeConditions {
  readonly database: Database;
  readonly texts: Texts;
  /** Whether its rows are known to have long texts. */
  readonly wide: boolean;
  readonly memoryLimitBytes: number;
  readonly room: number | undefined;
}

/** Bytes that a merge reads, as staged lines, at most, for its database to serve the next one too. */
const smallMerge = 32 * 2 ** 20;

/** A row has about ten times as many bytes in a staged line as in a part. */
const packedInPart = 10;

/** The bytes of the rows that a merge reads, as staged lines. */
async function bytesOf(request: MergeRequest): Promise<number> {
  const { existing } = request;
  const published = existing === null ? 0 : (await stat(existing)).size * packedInPart;
  return published + (await stagedBytesOf(request));
}

function isOutOfMemory(error: unknown): boolean {
  return (
    error instanceof Error &&
    /out of memory/i.test(error.message) &&
    !/max_temp_directory_size/.test(error.message)
  );
}

function isOutOfRoom(error: unknown): boolean {
  return error instanceof Error && /max_temp_directory_size/.test(error.message);
}

async function mergeIn(
  connection: DuckDBConnection,
  request: MergeRequest,
  { database, texts, wide: isWideRequest, memoryLimitBytes, room }: MergeConditions,
): Promise<MergeOutcome> {
  const { table, partition, existing, staged, output, metadata } = request;
  await connection.run("SET TimeZone = 'UTC'");
  if (existing !== null && request.placement !== undefined) {
    const expected = placementMetadata(table, partition, request.placement);
    refuse(contradiction(expected, await footerOf(connection, existing)));
  }
  const present =
    existing === null ? new Map<string, string>() : await partColumns(connection, table, existing);
  const wide = texts === 'in place' && isWideRequest;
  // Texts that are set aside can move to disk, so half of the memory is enough, and the process stays within its limit.
  if (wide) await database.limitMemory(connection, Math.floor(memoryLimitBytes / 2));
  const inPlace = texts === 'aside' || wide ? aside(table) : undefined;
  if (inPlace === undefined && isOnlyStaged(request)) {
    const sql = copySql(onlyStagedSql(table, partition, staged), output, metadata);
    const inRanges = (await isManyRows(request)) ? await writeInRanges(connection, request, room) : null;
    const rows = inRanges ?? Number((await rowsOf(connection, sql))[0]?.[0]);
    refuseLost(request, rows);
    const fate = request.wantsFate === true ? { fate: { unlike: [], latestPublished: null } } : {};
    return { changed: true, rows, added: rows, updated: 0, unchanged: 0, removed: 0, ...fate };
  }
  await connection.run(existingSql(table, existing, present, request.latest, inPlace));
  if (existing !== null) await refuseMisplaced(connection, request);
  const few =
    inPlace === undefined && (await hasFewStaged(request)) ? await mergeFewStaged(connection, request) : null;
  if (few !== null) {
    if (few.fate === undefined) return few;
    return { ...few, fate: { ...few.fate, latestPublished: await latestIn(connection, table) } };
  }
  await connection.run(stageSql(table, staged, inPlace));
  if (request.stagedRows !== undefined) {
    refuseLost(request, Number((await rowsOf(connection, 'SELECT count(*) FROM staged'))[0]?.[0]));
  }
  await runSteps(connection, mergeSql(table, partition, existing === null, request.latest));

  const counts = new Map<string, number>();
  for (const row of await rowsOf(connection, 'SELECT verdict, count(*) FROM verdicts GROUP BY ALL')) {
    counts.set(String(row[0]), Number(row[1]));
  }
  const added = counts.get('added') ?? 0;
  const updated = counts.get('updated') ?? 0;
  const unchanged = counts.get('unchanged') ?? 0;
  const removed = counts.get('removed') ?? 0;
  const changed = added + updated + removed > 0;
  const fate = request.wantsFate === true ? { fate: await fateIn(connection, table, existing) } : {};
  if (!changed && request.always !== true) {
    const [count] = await rowsOf(connection, 'SELECT count(*) FROM existing');
    return { changed, rows: Number(count?.[0]), added, updated, unchanged, removed, ...fate };
  }
  const select = partSql(table, partition);
  const rows =
    inPlace === undefined
      ? Number((await rowsOf(connection, copySql(select, output, metadata)))[0]?.[0])
      : await writeWithTexts(connection, request, select, new Set(present.keys()));
  return { changed, rows, added, updated, unchanged, removed, ...fate };
}

/** DuckDB takes a file of lines that is cut off within a text for one that ends before that line. */
function refuseLost({ stagedRows }: MergeRequest, found: number): void {
  if (stagedRows === undefined || found === stagedRows) return;
  throw new EngineError(
    `${stagedRows} rows were staged, and their files have ${found}`,
    'Check whether somebody changed files in the scratch folder, or whether its disk is failing, then run again.',
  );
}

/** The values of keys and slices are texts. */
async function fateIn(
  connection: DuckDBConnection,
  table: Table,
  existing: string | null,
): Promise<StagedFate> {
  const unlike = await rowsOf(connection, `FROM unlike LIMIT ${mostUnlike + 1}`);
  return {
    unlike: unlike.length > mostUnlike ? null : unlike.map((values) => values.map(textOrNull)),
    latestPublished: existing === null ? null : await latestIn(connection, table),
  };
}

/** The latest time of an observation in `existing`; null: none. */
async function latestIn(connection: DuckDBConnection, table: Table): Promise<number | null> {
  const times = ['observed_at', 'first_observed_at'].filter((name) => hasColumn(table, name));
  if (times.length === 0) return null;
  const latest = times.map((name) => `max(epoch_ms(${quoteName(name)}::TIMESTAMP))`);
  const [found = []] = await rowsOf(connection, `SELECT ${latest} FROM existing`);
  const known = found.filter((time) => time !== null).map(Number);
  return known.length === 0 ? null : Math.max(...known);
}

async function runSteps(connection: DuckDBConnection, steps: readonly MergeStep[]): Promise<void> {
  for (const step of steps) {
    if (typeof step === 'string') {
      await connection.run(step);
      continue;
    }
    const [answer] = await rowsOf(connection, step.onlyIf);
    await runSteps(connection, answer?.[0] === true ? step.steps : (step.otherwise ?? []));
  }
}

/** @throws MisplacedRows */
async function refuseMisplaced(
  connection: DuckDBConnection,
  { table, partition, placement }: MergeRequest,
): Promise<void> {
  const day = dayColumn(table);
  if (placement === undefined || day === null) return;
  const time = `epoch_ms(${quoteName(day.of)}::TIMESTAMP)`;
  const [span = []] = await rowsOf(
    connection,
    `SELECT min(${time}), max(${time}), count(*) FILTER (${quoteName(day.of)} IS NULL) FROM existing`,
  );
  const [first, last, without] = span.map((value) => (value === null ? null : Number(value)));
  const named = partition[day.partition.name] ?? '';
  refuse(outsideDay(table, named, { first: first ?? null, last: last ?? null, without: without ?? 0 }));
  if (placement.buckets === 1) return;
  const accounts = await rowsOf(connection, 'SELECT DISTINCT account_id FROM existing');
  refuse(
    outsideBucket(
      accounts.map(([account]) => textOrNull(account)),
      placement,
    ),
  );
}

function refuse(why: string | null): void {
  if (why !== null) throw new MisplacedRows(why);
}

async function footerOf(connection: DuckDBConnection, file: string): Promise<ReadonlyMap<string, string>> {
  const rows = await rowsOf(
    connection,
    `SELECT decode(key), decode(value) FROM parquet_kv_metadata([${quoteFile(file)}])
     WHERE key IN (${['table', 'partition', 'bucket', 'buckets'].map((name) => `encode(${quoteText(name)})`)})`,
  );
  return new Map(rows.map(([name, value]) => [String(name), String(value)]));
}

/** The part's columns and their types. Refuses columns that this program does not know. */
async function partColumns(
  connection: DuckDBConnection,
  table: Table,
  file: string,
): Promise<ReadonlyMap<string, string>> {
  const rows = await rowsOf(
    connection,
    `DESCRIBE SELECT * FROM read_parquet([${quoteFile(file)}], hive_partitioning = false)`,
  );
  const present = new Map(rows.map(([name, type]) => [String(name), String(type)]));
  refuseNewerSchema(table, new Map([...present].map(([name, type]) => [name, columnType(type)])), file);
  return present;
}

function columnType(sqlType: string): ColumnType | null {
  if (sqlType === 'VARCHAR') return 'text';
  if (sqlType === 'BIGINT') return 'bigint';
  if (sqlType === 'BOOLEAN') return 'boolean';
  return sqlType.startsWith('TIMESTAMP') ? 'timestamp' : null;
}

function textOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

function mergeError(
  error: unknown,
  { table, partition, existing }: MergeRequest,
  limit: number,
  room: number | undefined,
): unknown {
  if (error instanceof ReportedError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const part = `${table.name}/${partitionText(table, partition)}`;
  const megabytes = Math.round(limit / 2 ** 20);
  if (room !== undefined && /max_temp_directory_size/.test(message)) {
    return new ScratchError(
      `Merging ${part} needs more than ${megabytes} MiB of memory and more than ${room} bytes of scratch`,
      'Raise --scratch-limit (a merge may use up to a quarter of it) or --memory-limit, or run rebucket with more --buckets, which makes parts smaller.',
      { cause: error },
    );
  }
  if (/out of memory/i.test(message)) {
    return new EngineError(
      `Merging ${part} needs more than ${megabytes} MiB of memory: ${message}`,
      'Raise --memory-limit, or run rebucket with more --buckets, which makes parts smaller.',
      { cause: error },
    );
  }
  return new EngineError(
    `Merging ${part} failed: ${message}`,
    existing === null
      ? 'Check whether the scratch disk is full, or whether somebody changed files there, then run again.'
      : 'If the message names the part, restore its earlier version. Otherwise check whether the scratch disk is full.',
    { cause: error },
  );
}
