/**
 * Where a lake's objects lie: S3 or a local folder, behind the same few conditional operations.
 * Keys are relative to the lake's root, with `/` between their parts: `copy_jobs/creation_date=2026-11-20/part-00000.parquet`.
 */

import type { Witness } from '../../aws/time-witnesses.ts';

/** An object as it was at one instant. The etag is opaque: only equality counts. */
export interface StoredObject {
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
}

/** What must hold for a write to happen: the object is as it was read, or there is none. */
export type WriteCondition = { readonly ifMatch: string } | { readonly ifAbsent: true };

/** A body that can be read again when the write is retried: bytes, or a file on local disk. */
export type Body = { readonly bytes: Uint8Array } | { readonly file: string };

/**
 * The outcome of a conditional write: written, or somebody else's object is there (or, for `ifMatch`, gone).
 * A store never reports `conflict` for its own write whose response was lost: it tells by `writeId`.
 */
export type PutOutcome =
  | { readonly written: true; readonly etag: string; readonly size: number }
  | { readonly written: false };

export interface PutRequest {
  readonly key: string;
  readonly body: Body;
  readonly condition: WriteCondition;
  /** Unique to this attempt at writing; kept with the object where the store can keep metadata. */
  readonly writeId: string;
  /** Kept as the object's metadata where the store has such a thing (S3). ASCII only. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string;
  /**
   * Sent in parts, or in one piece, whatever its size; where it is not said, the store decides by the size. Some
   * servers honour conditions on a whole write and ignore them when a multipart upload is completed (gofakes3 1.2,
   * moto 5.2), so both are probed.
   */
  readonly inParts?: boolean;
}

/**
 * All methods throw a LakeError (src/shared/errors.ts) when the store cannot be read or written, with the key,
 * the cause and what to do; "not there" is a value, and an access refused is never "not there".
 * Every method may be called concurrently. An aborted signal rejects with the signal's reason; but a `put` that turns
 * out to have been written resolves with that.
 */
export interface Store {
  /** For people and logs: `s3://bucket/prefix` or the folder's absolute path. */
  readonly url: string;
  /** Downloads into `file` (overwriting it), or null when there is no such object. */
  download(key: string, file: string, signal?: AbortSignal): Promise<StoredObject | null>;
  /** A small object's bytes, or null when there is no such object. */
  read(key: string, signal?: AbortSignal): Promise<(StoredObject & { readonly bytes: Uint8Array }) | null>;
  put(request: PutRequest, signal?: AbortSignal): Promise<PutOutcome>;
  /** Keys below a prefix, ascending by UTF-8 bytes. With `folders`, the immediate sub-folders (ending in `/`) instead. */
  list(prefix: string, options?: { readonly folders?: boolean }, signal?: AbortSignal): AsyncIterable<string>;
  /** What time the store's last answer said it is; a store without a clock of its own says nothing. */
  lastSeen?(): Witness | null;
  /** Lets go of sockets and locks. */
  close(): Promise<void>;
}
