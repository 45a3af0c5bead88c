/** One part, published: read, merged, and put back on the condition that nobody else did meanwhile. */
import { randomUUID } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError, LakeError, MisplacedRows } from '../shared/errors.ts';
import type { Table } from '../tables/table.ts';
import type { Engine, MergeOutcome } from './engines/engine.ts';
import { openPart } from './engines/part-reader.ts';
import { partKey } from './layout.ts';
import { damagedPart, placementMetadata } from './part-placement.ts';
import { sha256Of } from './scratch-file.ts';
import type { Store } from './stores/store.ts';

export interface PublishRequest {
  readonly store: Store;
  readonly engine: Engine;
  readonly table: Table;
  readonly partition: Readonly<Record<string, string>>;
  readonly bucket: number;
  /** The lake's. */
  readonly buckets: number;
  /** Staged files, as the engine wants them. They are left as they are. */
  readonly staged: readonly string[];
  /** How many rows they hold, where it is known. */
  readonly stagedRows?: number;
  /** Exists; the files made in it are removed again. */
  readonly scratchFolder: string;
  readonly runId: string;
  /** Beside `run_id`, `write_id`, `schema_version`, and what says where the part lies, in the file's footer and on the object. ASCII. */
  readonly metadata: Readonly<Record<string, string>>;
  /** 0 to 1. */
  readonly random: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly signal?: AbortSignal;
  /** The latest time at which a published row can have been observed; default: any. */
  readonly latest?: () => number;
  /** At least 1: how often to begin again when others publish the same part. */
  readonly maxAttempts: number;
  /** Claims room on disk; see Scratch. */
  readonly reserve?: (bytes: number) => () => void;
}

/** What was written, for the manifest. */
export interface PublishedPart {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** Of the part that was replaced; null when there was none. */
  readonly etagBefore: string | null;
  readonly etagAfter: string;
}

export interface Published {
  readonly key: string;
  readonly outcome: MergeOutcome;
  /** Null when the staged rows changed nothing, and so nothing was written. */
  readonly written: PublishedPart | null;
}

/**
 * @throws LakeError when the store fails, or others publish the same part `maxAttempts` times in between;
 *   EngineError when it cannot be merged; ScratchError when scratch is full; the signal's reason
 */
export async function publishPart(request: PublishRequest): Promise<Published> {
  const { table, partition, bucket, sleep, random, signal, maxAttempts } = request;
  const key = partKey(table, partition, bucket);
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    const published = await tryOnce(request, key);
    if (published !== null) return published;
    // Full jitter: contenders for one part must not meet again at the same instant.
    if (attempt === maxAttempts) break;
    await sleep(random() * Math.min(200 * 2 ** (attempt - 1), 10_000), signal).catch((error) => {
      // Node's timers reject with an AbortError of their own.
      signal?.throwIfAborted();
      throw error;
    });
  }
  throw new LakeError(
    `${key} in ${request.store.url} was replaced by others ${maxAttempts} times while it was being merged`,
    'Let one export at a time work on this lake, or give each its own shard; then run again: nothing was lost.',
  );
}

/** Null when somebody else published in between. */
async function tryOnce(request: PublishRequest, key: string): Promise<Published | null> {
  const { store, engine, table, partition, staged, scratchFolder, runId, signal } = request;
  const cut = { bucket: request.bucket, buckets: request.buckets };
  const reserve = request.reserve ?? (() => () => undefined);
  const writeId = randomUUID();
  const existing = join(scratchFolder, `${writeId}.before.parquet`);
  const output = join(scratchFolder, `${writeId}.after.parquet`);
  const releases: (() => void)[] = [];
  try {
    signal?.throwIfAborted();
    const before = await store.download(key, existing, signal);
    if (before !== null) releases.push(reserve(before.size));
    const metadata = {
      ...request.metadata,
      run_id: runId,
      write_id: writeId,
      schema_version: String(table.schemaVersion),
      ...placementMetadata(table, partition, cut),
    };
    const merge = {
      table,
      partition,
      cut,
      existing: before === null ? null : existing,
      staged,
      ...(request.stagedRows === undefined ? {} : { stagedRows: request.stagedRows }),
      output,
      metadata,
      ...(request.latest === undefined ? {} : { latest: request.latest() }),
    };
    const outcome = await engine.merge(merge).catch(async (error) => {
      throw before === null ? error : await damage(error, existing, key, store.url);
    });
    if (!outcome.changed) return { key, outcome, written: null };
    releases.push(reserve((await stat(output)).size));
    const sha256 = await sha256Of(output);
    const put = await store.put(
      {
        key,
        body: { file: output },
        condition: before === null ? { ifAbsent: true } : { ifMatch: before.etag },
        writeId,
        metadata: { ...objectMetadata(metadata), sha256 },
        contentType: 'application/vnd.apache.parquet',
      },
      signal,
    );
    if (!put.written) return null;
    const etags = { etagBefore: before?.etag ?? null, etagAfter: put.etag };
    return { key, outcome, written: { bytes: put.size, sha256, ...etags } };
  } finally {
    await Promise.all([rm(existing, { force: true }), rm(output, { force: true })]);
    for (const release of releases) release();
  }
}

/** A part that cannot be read is named by its key: scratch copies are gone when a person reads of it. */
async function damage(error: unknown, copy: string, key: string, url: string): Promise<unknown> {
  if (!(error instanceof EngineError)) return error;
  if (error instanceof MisplacedRows) return damagedPart(key, url, error.why, error);
  const readable = await openPart(copy).then(
    () => true,
    () => false,
  );
  if (readable) return error;
  return damagedPart(key, url, 'it is no whole Parquet file', error);
}

/** Object metadata travels in HTTP headers, and common proxies drop headers with underscores. */
function objectMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [name.replaceAll('_', '-'), value]),
  );
}
