/**
 * Where the objects of a lake are stored: S3 or a local folder, with the same conditional operations. Keys are relative to
 * the lake's root and use `/`: `copy_jobs/creation_date=2026-11-20/part-00000.parquet`.
 */

import type { Witness } from '../../aws/time-witnesses.ts';

/** An object at one instant. The etag is opaque: only equality matters. */
export interface StoredObject {
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
}

/** An object that was downloaded. */
export interface DownloadedObject extends StoredObject {
  /** Hex, of the bytes that came. */
  readonly sha256: string;
}

/** What a store knows about an object without reading it. */
export interface ObjectHead {
  /** Bytes. */
  readonly size: number;
  /** Null: the store would have to read the object. */
  readonly etag: string | null;
  /** What was stored with the object, by names in lower case; a local folder stores nothing. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The object as a local file; null: it is not one. */
  readonly file: string | null;
}

/** The condition for a write: the object is unchanged since it was read, or it does not exist. */
export type WriteCondition = { readonly ifMatch: string } | { readonly ifAbsent: true };

/** A body that can be read again when the write is retried: bytes, or a file on local disk. */
export type Body = { readonly bytes: Uint8Array } | { readonly file: string };

/**
 * The outcome of a conditional write. `written: false` means that somebody else's object is there (or, for `ifMatch`, that
 * the object is gone). If the response to the store's own write was lost, `writeId` reveals that the object is its own.
 */
export type PutOutcome =
  | { readonly written: true; readonly etag: string; readonly size: number }
  | { readonly written: false };

export interface PutRequest {
  readonly key: string;
  readonly body: Body;
  readonly condition: WriteCondition;
  /** Unique to this write. Stored with the object if the store supports metadata. */
  readonly writeId: string;
  /** The object's metadata, if the store supports it (S3 does). ASCII only. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string;
  /**
   * True: a multipart upload. False: one request. By default the store decides by the size. Some servers honor conditions
   * on a PUT and ignore them when a multipart upload is completed (gofakes3 1.2, moto 5.2), so the probe tests both.
   */
  readonly multipart?: boolean;
}

/**
 * All methods throw a LakeError (src/shared/errors.ts) when the store cannot be read or written, with the key, the cause
 * and advice. A missing object is a value, not an error, and denied access never counts as missing. Methods may be called
 * concurrently. When a signal is aborted, they reject with its reason; but a `put` that was written after all resolves.
 */
export interface Store {
  /** For people and logs: `s3://bucket/prefix` or the folder's absolute path. */
  readonly url: string;
  /** Downloads into `file`, overwriting it; null if there is no such object. */
  download(key: string, file: string, signal?: AbortSignal): Promise<DownloadedObject | null>;
  /** The bytes of a small object; null if there is no such object. */
  read(key: string, signal?: AbortSignal): Promise<(StoredObject & { readonly bytes: Uint8Array }) | null>;
  /** Null if there is no such object. */
  head(key: string, signal?: AbortSignal): Promise<ObjectHead | null>;
  put(request: PutRequest, signal?: AbortSignal): Promise<PutOutcome>;
  /** The keys below a prefix, ascending by UTF-8 bytes. With `folders`: its direct subfolders (ending in `/`) instead. */
  list(prefix: string, options?: { readonly folders?: boolean }, signal?: AbortSignal): AsyncIterable<string>;
  /** The time in the store's last response. A store without a clock of its own has none. */
  lastSeen?(): Witness | null;
  /** Releases sockets and locks. */
  close(): Promise<void>;
}
