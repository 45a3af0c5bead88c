/** The keys of everything in a lake: pure functions to build keys and to parse them. The layout is part of the format. */
import { createHash } from 'node:crypto';
import type { Shard } from '../config/typed-values.ts';
import { type PartitionColumn, type Table, utcDay } from '../tables/table.ts';

/** Increased when keys or ledger objects change in a way that would make older programs damage them. */
export const formatVersion = 1;

/** The name of the bucket hash in `lake.json`; see {@link bucketOf}. */
export const bucketHash = 'sha256-first4-be';

/** Everything that is not a table lies below this prefix. */
export const ledgerPrefix = '_ledger/';

/** The lake's own record: format, schema versions, buckets. Created once, conditionally. */
export const lakeKey = '_ledger/lake.json';

/** Overwritten by every run, to test what the store supports. It contains no data. */
export const probeKey = '_ledger/probe.json';

/** Begin records and manifests of all runs are below this prefix. */
export const runsPrefix = '_ledger/runs/';

/** Records that could not become rows are below this prefix. */
export const rejectedPrefix = '_ledger/rejected/';

/** Watermarks are below this prefix, one file per bucket. */
export const watermarksPrefix = '_ledger/watermarks/';

/** Checkpoints of the whole lake are below this prefix, numbered. */
export const checkpointsPrefix = '_ledger/checkpoints/';

/** The pages of the states that checkpoints name are below this prefix. */
export const statePagesPrefix = '_ledger/lake-state/';

/** What people have acknowledged as lost (`status --acknowledge`), one object each. */
export const acknowledgedPrefix = '_ledger/acknowledged/';

/** The creation dates of jobs are below this prefix, one file per bucket. */
export const creationDatesPrefix = '_ledger/creation-dates/';

/** What a shard read of accounts that other shards own is below this prefix, until they have merged it. */
export const handedOverPrefix = '_ledger/handed-over/';

/** One object for each night that shards share. */
const nightsPrefix = '_ledger/nights/';

/** One object for each run of a shard, made when it begins. */
export const shardsPrefix = '_ledger/shards/';

/** The digests of each part's rows are below this prefix, under the part's own key. */
const rowDigestsPrefix = '_ledger/row-digests/';

/** What each part's rows add up to is below this prefix, under the part's own key. */
const partCountsPrefix = '_ledger/part-counts/';

/** What `rebucket` prepares is below this prefix, until it has ended. */
export const rebucketsPrefix = '_ledger/rebucket/';

/** What one `rebucket` prepares. */
export function rebucketPrefix(id: string): string {
  return `${rebucketsPrefix}${id}/`;
}

/** Everything of a table is below this prefix, and nothing else: Athena reads every object there. */
export function tablePrefix(table: Table): string {
  return `${table.name}/`;
}

/**
 * The key of the part that holds one bucket of a partition. Throws if the table cannot have these partition values: a part
 * under a wrong key would be read as that of another day.
 */
export function partKey(table: Table, partition: Readonly<Record<string, string>>, bucket: number): string {
  for (const column of table.partitions) {
    const value = partition[column.name];
    if (value === undefined || partitionValue(column, `${column.name}=${value}`) === null) {
      throw new TypeError(
        `${table.name}: partition column ${column.name} cannot be ${JSON.stringify(value)}`,
      );
    }
  }
  return `${partitionPrefix(table, partition)}part-${numbered(bucket)}.parquet`;
}

/** A key below a table's prefix, parsed. */
export interface TableKey {
  readonly key: string;
  /** The values of the partition columns, by name. */
  readonly partition: Readonly<Record<string, string>>;
  /** The UTC day among them. Every table has one, as its last partition column. */
  readonly day: string;
  /** Null if the partition has no buckets, but one object per run. */
  readonly bucket: number | null;
  /** The run that wrote the object; null for a part, which many runs write. */
  readonly runId: string | null;
}

/**
 * A run id is a UUIDv7 in lower case. Its first 48 bits are milliseconds (RFC 9562, section 5.7): the run's as-of, which
 * also decides the partition of its coverage.
 */
const runFile =
  /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(\.parquet|\.begin\.json|\.json|\.ndjson)$/;
const partFile = /^part-(\d{5})\.parquet$/;

/**
 * Parses a key below a table's prefix, in a lake with this number of buckets. Null: this program never writes such a key,
 * so the object is foreign, and must not be read as a part.
 */
export function parseTableKey(table: Table, key: string, buckets: number): TableKey | null {
  const segments = key.split('/');
  const [folder, ...folders] = segments;
  const file = folders.pop() ?? '';
  if (folder !== table.name || folders.length !== table.partitions.length) return null;
  const partition: Record<string, string> = {};
  let day = '';
  for (const [at, column] of table.partitions.entries()) {
    const value = partitionValue(column, folders[at] ?? '');
    if (value === null) return null;
    partition[column.name] = value;
    day = value;
  }
  if (table.merge.kind === 'append') {
    const run = parseRunFile(file);
    if (run?.ending !== '.parquet' || utcDay(run.asOf) !== day) return null;
    return { key, partition, day, bucket: null, runId: run.runId };
  }
  const [, number] = partFile.exec(file) ?? [];
  const bucket = Number(number);
  return number !== undefined && bucket < buckets ? { key, partition, day, bucket, runId: null } : null;
}

function parseRunFile(
  name: string,
): { readonly asOf: number; readonly runId: string; readonly ending: string } | null {
  const [, high, low, ending] = runFile.exec(name) ?? [];
  if (ending === undefined) return null;
  return { asOf: Number.parseInt(`${high}${low}`, 16), runId: name.slice(0, -ending.length), ending };
}

/** A key below `runsPrefix`, parsed; null: no run wrote it. */
export function parseRunKey(
  key: string,
): { readonly runId: string; readonly asOf: number; readonly record: 'begin' | 'manifest' } | null {
  const run = parseRunFile(key.slice(key.lastIndexOf('/') + 1));
  if (run === null || !run.ending.endsWith('.json')) return null;
  const { runId, asOf, ending } = run;
  return { runId, asOf, record: ending === '.json' ? 'manifest' : 'begin' };
}

/** The bucket in a key of watermarks; null for any other key. */
export function parseWatermarksKey(key: string): number | null {
  const name = key.startsWith(watermarksPrefix) ? key.slice(watermarksPrefix.length) : '';
  return /^\d{5}\.json$/.test(name) ? Number.parseInt(name, 10) : null;
}

/** The partition column's value in a folder name; null if the column cannot have it. */
export function partitionValue({ name, values }: PartitionColumn, folder: string): string | null {
  if (!folder.startsWith(`${name}=`)) return null;
  const value = folder.slice(name.length + 1);
  const fits = values.kind === 'day' ? isDay(value) : values.texts.includes(value);
  return fits ? value : null;
}

function isDay(text: string): boolean {
  const epochMs = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(epochMs) && utcDay(epochMs) === text;
}

/** The prefix of a partition. */
export function partitionPrefix(table: Table, partition: Readonly<Record<string, string>>): string {
  const folders = table.partitions.map(({ name }) => `${name}=${partition[name] ?? ''}/`);
  return `${tablePrefix(table)}${folders.join('')}`;
}

/** @param runDate the UTC day of the run's as-of, `yyyy-MM-dd` */
export function coverageKey(runDate: string, runId: string): string {
  return `export_coverage/run_date=${runDate}/${runId}.parquet`;
}

/** @param runDate the UTC day of the run's as-of, `yyyy-MM-dd` */
export function reconciliationKey(runDate: string, runId: string): string {
  return `export_reconciliation/run_date=${runDate}/${runId}.parquet`;
}

export function beginKey(runDate: string, runId: string): string {
  return `${runsPrefix}${runDate}/${runId}.begin.json`;
}

export function manifestKey(runDate: string, runId: string): string {
  return `${runsPrefix}${runDate}/${runId}.json`;
}

export function rejectedKey(runDate: string, runId: string): string {
  return `${rejectedPrefix}${runDate}/${runId}.ndjson`;
}

/** @param at when it was acknowledged, in milliseconds since the epoch; @param id a UUID */
export function acknowledgementKey(at: number, id: string): string {
  return `${acknowledgedPrefix}${utcDay(at)}/${id}.json`;
}

/** Whether the key can be that of an acknowledgement. */
function isAcknowledgementKey(key: string): boolean {
  const [day = '', file = '', ...more] = key.slice(acknowledgedPrefix.length).split('/');
  return isDay(day) && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json$/.test(file) && more.length === 0;
}

/**
 * Whether this program writes such a key below `_ledger/`. Keys of runs are only roughly known: a run's folder is the day of
 * its as-of.
 */
export function isLedgerKey(key: string): boolean {
  if (key === lakeKey || key === probeKey) return true;
  if (key.startsWith(runsPrefix)) return parseRunKey(key) !== null;
  if (key.startsWith(rejectedPrefix)) return parseRejectedKey(key) !== null;
  if (key.startsWith(watermarksPrefix)) return parseWatermarksKey(key) !== null;
  if (key.startsWith(checkpointsPrefix)) return parseCheckpointKey(key) !== null;
  if (key.startsWith(statePagesPrefix)) return isStatePageKey(key);
  if (key.startsWith(acknowledgedPrefix)) return isAcknowledgementKey(key);
  if (key.startsWith(rebucketsPrefix)) return true;
  if (key.startsWith(shardsPrefix)) return parseShardKey(key) !== null;
  if (key.startsWith(nightsPrefix)) return key.endsWith('.json');
  if (key.startsWith(rowDigestsPrefix)) return isRowDigestsKey(key);
  if (key.startsWith(partCountsPrefix)) return isPartCountsKey(key);
  if (key.startsWith(handedOverPrefix)) return /\/\d{5}-\d{5}\.(parquet|taken)$/.test(key);
  return key.startsWith(creationDatesPrefix) && parseCreationDatesKey(key) !== null;
}

/** A key below `rejectedPrefix`, parsed; null: no run writes it. */
export function parseRejectedKey(key: string): { readonly date: string; readonly runId: string } | null {
  const run = parseRunFile(key.slice(key.lastIndexOf('/') + 1));
  if (run === null || run.ending !== '.ndjson') return null;
  const { runId } = run;
  const date = utcDay(run.asOf);
  return key === rejectedKey(date, runId) ? { date, runId } : null;
}

/** The first creation date of each job in a bucket; see src/lake/creation-dates.ts. */
export function creationDatesKey(bucket: number): string {
  return `${creationDatesPrefix}${numbered(bucket)}.bin`;
}

/** The bucket in a key of creation dates; null for any other key. */
export function parseCreationDatesKey(key: string): number | null {
  const name = key.startsWith(creationDatesPrefix) ? key.slice(creationDatesPrefix.length) : '';
  return /^\d{5}\.bin$/.test(name) ? Number.parseInt(name, 10) : null;
}

/** The digests of a part's rows; see src/lake/row-digests.ts. @param key the part's */
export function rowDigestsKey(key: string): string {
  return `${rowDigestsPrefix}${key.replace(/\.parquet$/, '.bin')}`;
}

function isRowDigestsKey(key: string): boolean {
  const part = key.slice(rowDigestsPrefix.length);
  return /^(copy_jobs|copy_job_summaries)\/([a-z_]+=[^/]+\/)+part-\d{5}\.bin$/.test(part);
}

/** What a part's rows add up to; see src/reconciliation/part-counts.ts. @param key the part's */
export function partCountsKey(key: string): string {
  return `${partCountsPrefix}${key.replace(/\.parquet$/, '.json')}`;
}

function isPartCountsKey(key: string): boolean {
  const part = key.slice(partCountsPrefix.length);
  return /^(copy_jobs|copy_job_summaries)\/([a-z_]+=[^/]+\/)+part-\d{5}\.json$/.test(part);
}

export function watermarksKey(bucket: number): string {
  return `${watermarksPrefix}${numbered(bucket)}.json`;
}

/** @param number from 1 on. A folder holds a thousand, so that the newest is found with two short listings */
export function checkpointKey(number: number): string {
  return `${checkpointsPrefix}${numbered(Math.floor(number / 1000))}/${String(number).padStart(8, '0')}.json`;
}

/** The number in a key of a checkpoint; null for any other key. */
export function parseCheckpointKey(key: string): number | null {
  const [, digits] = /\/(\d{8})\.json$/.exec(key) ?? [];
  const number = Number(digits);
  return digits !== undefined && number > 0 && checkpointKey(number) === key ? number : null;
}

/** @param root the page's Merkle root in hex: a page never changes under its key */
export function statePageKey(root: string): string {
  return `${statePagesPrefix}${root}.tsv`;
}

/** Whether the key can be that of a page. */
export function isStatePageKey(key: string): boolean {
  return /^[0-9a-f]{64}\.tsv$/.test(key.slice(statePagesPrefix.length)) && key.startsWith(statePagesPrefix);
}

/**
 * The bucket of an account's rows: the first four bytes of the SHA-256 of its id, big-endian, modulo the count.
 * @param buckets at least 1
 */
export function bucketOf(accountId: string, buckets: number): number {
  if (buckets === 1) return 0;
  let number = accountNumbers.get(accountId);
  if (number === undefined) {
    number = createHash('sha256').update(accountId).digest().readUInt32BE(0);
    // An organization has some thousand accounts. What AWS sends must not fill the memory.
    if (accountNumbers.size >= 50_000) accountNumbers.clear();
    accountNumbers.set(accountId, number);
  }
  return number % buckets;
}

/** The first four bytes of the hash, by account: every row asks for its account's. */
const accountNumbers = new Map<string, number>();

/** Whether the shard writes the parts of a bucket; null: there are no shards, and everybody does. */
export function ownsBucket(shard: Shard | null, bucket: number): boolean {
  return shard === null || bucket % shard.count === shard.index;
}

/** What all shards of a night have in common. */
export function nightKey(night: string): string {
  return `${nightsPrefix}${night}.json`;
}

/** @param runDate the UTC day of the run's as-of, `yyyy-MM-dd` */
export function shardKey(runDate: string, runId: string): string {
  return `${shardsPrefix}${runDate}/${runId}.json`;
}

/** A key below `shardsPrefix`, parsed; null: no run writes it. */
export function parseShardKey(key: string): { readonly runId: string; readonly asOf: number } | null {
  const run = parseRunFile(key.slice(key.lastIndexOf('/') + 1));
  return run !== null && key === shardKey(utcDay(run.asOf), run.runId) ? run : null;
}

/** Rows of one part that the run read, and that belong to a bucket of another shard. */
export interface HandedOver {
  readonly key: string;
  readonly bucket: number;
}

/** @param number different for each object of a run */
export function handedOverKey(runDate: string, runId: string, number: number, bucket: number): string {
  return `${handedOverPrefix}${runDate}/${runId}/${numbered(number)}-${numbered(bucket)}.parquet`;
}

/** Beside rows that were handed over: says that they are merged. */
export function takenKey(handedOver: string): string {
  return `${handedOver.slice(0, -'.parquet'.length)}.taken`;
}

/** A key below `handedOverPrefix`, parsed; null: it has no rows. */
export function parseHandedOverKey(key: string): HandedOver | null {
  const [, bucket] = /\/\d{5}-(\d{5})\.parquet$/.exec(key) ?? [];
  return bucket === undefined ? null : { key, bucket: Number(bucket) };
}

function numbered(bucket: number): string {
  return String(bucket).padStart(5, '0');
}
