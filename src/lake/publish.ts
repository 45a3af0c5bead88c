/** Publishes one part: reads it, merges it, and writes it back on the condition that it has not changed meanwhile. */
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
  /** Staged files for the engine. They stay unchanged. */
  readonly staged: readonly string[];
  /** How many rows they contain, if known. */
  readonly stagedRows?: number;
  /** Their bytes, unpacked, if known. */
  readonly stagedBytes?: number;
  /** See MergeRequest. */
  readonly distinctKeys?: boolean;
  /** Must exist. Files created in it are removed again. */
  readonly scratchFolder: string;
  readonly runId: string;
  /**
   * Additional metadata for the file's footer and the object, besides `run_id`, `write_id`, `schema_version` and the part's
   * placement. ASCII.
   */
  readonly metadata: Readonly<Record<string, string>>;
  /** 0 to 1. */
  readonly random: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly signal?: AbortSignal;
  /** The latest time when a published row can have been observed; default: no limit. */
  readonly latest?: () => number;
  /** How many attempts to make when others publish the same part; at least 1. */
  readonly maxAttempts: number;
  /** Reserves disk space; see Scratch. */
  readonly reserve?: (bytes: number) => () => void;
}

/** The content of the part that was read. */
export interface ReadPart {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** What was written, for the manifest. */
export interface PublishedPart {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** The ETag of the replaced part; null if there was none. */
  readonly etagBefore: string | null;
  readonly etagAfter: string;
}

export interface Published {
  readonly key: string;
  readonly outcome: MergeOutcome;
  /** The part that was merged, and replaced if anything was written; null if there was none. */
  readonly read: ReadPart | null;
  /** Null if the staged rows changed nothing, so that nothing was written. */
  readonly written: PublishedPart | null;
  /** The part's ETag as the run left it. */
  readonly etag: string | null;
  /** The limit for times of published rows that the merge was given; null: none. */
  readonly latest: number | null;
}

/**
 * @throws LakeError when the store fails, or others publish the same part during each of `maxAttempts` attempts;
 *   EngineError when the part cannot be merged; ScratchError when scratch is full; the signal's reason
 */
export async function publishPart(request: PublishRequest): Promise<Published> {
  const { table, partition, bucket, sleep, random, signal, maxAttempts } = request;
  const key = partKey(table, partition, bucket);
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    const published = await tryOnce(request, key);
    if (published !== null) return published;
    // Full jitter: writers of the same part must not collide again.
    if (attempt === maxAttempts) break;
    await sleep(random() * Math.min(200 * 2 ** (attempt - 1), 10_000), signal).catch((error) => {
      // Node's timers reject with an AbortError of their own.
      signal?.throwIfAborted();
      throw error;
    });
  }
  throw new LakeError(
    `Other runs replaced ${key} in ${request.store.url} ${maxAttempts} times while this run merged it`,
    'Nothing was lost. Make sure that only one export at a time uses this lake, then run again.',
  );
}

/** Null if somebody else published the part in between. */
async function tryOnce(request: PublishRequest, key: string): Promise<Published | null> {
  const { store, engine, table, partition, staged, scratchFolder, runId, signal } = request;
  const placement = { bucket: request.bucket, buckets: request.buckets };
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
      ...placementMetadata(table, partition, placement),
    };
    const latest = request.latest?.() ?? null;
    const merge = {
      table,
      partition,
      placement,
      existing: before === null ? null : existing,
      staged,
      ...(request.stagedRows === undefined ? {} : { stagedRows: request.stagedRows }),
      ...(request.stagedBytes === undefined ? {} : { stagedBytes: request.stagedBytes }),
      ...(request.distinctKeys === undefined ? {} : { distinctKeys: request.distinctKeys }),
      output,
      metadata,
      wantsFate: true,
      ...(latest === null ? {} : { latest }),
    };
    const outcome = await engine.merge(merge).catch(async (error) => {
      throw before === null ? error : await damage(error, existing, key, store.url);
    });
    const read = before === null ? null : { bytes: before.size, sha256: before.sha256 };
    if (!outcome.changed) return { key, outcome, read, written: null, etag: before?.etag ?? null, latest };
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
    return { key, outcome, read, written: { bytes: put.size, sha256, ...etags }, etag: put.etag, latest };
  } finally {
    await Promise.all([rm(existing, { force: true }), rm(output, { force: true })]);
    for (const release of releases) release();
  }
}

/** Names an unreadable part by its key, because its copy in scratch is gone when a person reads the message. */
async function damage(error: unknown, copy: string, key: string, url: string): Promise<unknown> {
  if (!(error instanceof EngineError)) return error;
  if (error instanceof MisplacedRows) return damagedPart(key, url, error.why, error);
  const readable = await openPart(copy).then(
    () => true,
    () => false,
  );
  if (readable) return error;
  return damagedPart(key, url, 'it is not a complete Parquet file', error);
}

/** S3 sends object metadata in HTTP headers, and common proxies drop headers with underscores. */
function objectMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [name.replaceAll('_', '-'), value]),
  );
}
