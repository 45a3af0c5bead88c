/** What `rebucket` writes down about a partition once its new parts are whole: a piece of the plan. */

import { rebucketPrefix } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';

export interface PlannedPart {
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly rows: number;
}

export interface Piece {
  /** `copy_jobs/creation_date=2026-11-20/` */
  readonly partition: string;
  readonly rows: number;
  /** The parts that were there. */
  readonly before: readonly { readonly key: string; readonly sha256: string; readonly etag: string }[];
  readonly after: readonly PlannedPart[];
  /** What lies under some keys in between: the new part together with the present one. */
  readonly joined: readonly PlannedPart[];
}

export function joinedPrefix(id: string): string {
  return `${rebucketPrefix(id)}joined/`;
}

export function pieceKey(id: string, partition: string): string {
  return `${rebucketPrefix(id)}pieces/${partition}piece.json`;
}

export function switchedKey(id: string, partition: string): string {
  return `${rebucketPrefix(id)}switched/${partition}piece.json`;
}

/** The partitions that have a record of this kind. */
export async function partitionsWith(
  store: Pick<Store, 'list'>,
  keyOf: (id: string, partition: string) => string,
  id: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const prefix = keyOf(id, '').slice(0, -'piece.json'.length);
  const found = new Set<string>();
  for await (const key of store.list(prefix, {}, signal)) {
    if (key.endsWith('piece.json')) found.add(key.slice(prefix.length, -'piece.json'.length));
  }
  return found;
}

/** @throws LakeError when the store fails; TypeError when the record is gone or damaged */
export async function readPiece(
  store: Pick<Store, 'read'>,
  id: string,
  partition: string,
  signal: AbortSignal,
): Promise<Piece> {
  const found = await store.read(pieceKey(id, partition), signal);
  // Safe: only `rebucket` writes below its prefix, and it reads nothing from a damaged lake that it has not written whole.
  return JSON.parse(Buffer.from(found?.bytes ?? []).toString('utf8')) as Piece;
}
