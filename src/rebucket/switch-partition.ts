/**
 * Puts the new parts of one partition in place of the present ones. `query` and `status` read the new parts elsewhere by now. For
 * Athena no row is missing at any instant, and some may be there twice until the partition is done: first each key gains
 * rows, then each loses those that others have.
 */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { newPartsPrefix } from '../lake/rebucketed-view.ts';
import { LakeError } from '../shared/errors.ts';
import { changedMeanwhile, type Objects, writeFileTo, writeRecordTo } from './objects.ts';
import { joinedPrefix, type Piece, type PlannedPart, switchedKey } from './pieces.ts';

export interface SwitchOptions extends Objects {
  readonly id: string;
  readonly from: number;
  readonly to: number;
}

/** The ETags of the new parts, by key. */
export interface Switched {
  readonly etags: Readonly<Record<string, string>>;
}

/** Doing it again does no harm. @throws LakeError, ScratchError; the signal's reason */
export async function switchPartition(piece: Piece, options: SwitchOptions): Promise<void> {
  const { id, from, to } = options;
  const before = new Map(piece.before.map((part) => [part.key, part]));
  const joined = new Map(piece.joined.map((part) => [part.key, part]));
  const after = new Map(piece.after.map((part) => [part.key, part]));
  const etags: Record<string, string> = {};
  const expectedAt = (key: string) =>
    new Set([before.get(key), joined.get(key)].flatMap((part) => (part === undefined ? [] : [part.sha256])));
  const put = async (part: PlannedPart, below: string) => {
    const copy = join(options.scratchFolder, 'copied.parquet');
    const file = async () => {
      const found = await options.store.download(`${below}${part.key}`, copy, options.signal);
      if (found?.sha256 !== part.sha256) {
        throw new LakeError(
          `${below}${part.key} in ${options.store.url} is ${found === null ? 'gone' : 'not what rebucket wrote'}`,
          'Restore its earlier version (docs/recovery.md), then run rebucket again. Readers need it until rebucket has finished.',
        );
      }
      return copy;
    };
    try {
      const expected = expectedAt(part.key);
      return (await writeFileTo(options, part.key, { file, sha256: part.sha256 }, expected, { rebucket: id }))
        .etag;
    } finally {
      await rm(copy, { force: true });
    }
  };
  // Rows come: a new bucket of nothing, a bucket that only gains rows, or both contents together.
  for (const part of piece.after) {
    const both = joined.get(part.key);
    const isDone = async () => (await digestAt(part.key, options)) === part.sha256;
    if (!before.has(part.key) || from % to === 0) etags[part.key] = await put(part, newPartsPrefix(id));
    else if (both !== undefined && !(await isDone())) await put(both, joinedPrefix(id));
  }
  // Rows go that are elsewhere by now.
  for (const part of piece.after) etags[part.key] = await put(part, newPartsPrefix(id));
  for (const { key, sha256 } of piece.before) {
    if (after.has(key)) continue;
    const present = await digestAt(key, options);
    if (present !== null && present !== sha256) throw changedMeanwhile(options.store.url, key, present);
    await options.remove(key);
  }
  await writeRecordTo(options, switchedKey(id, piece.partition), { etags } satisfies Switched);
}

async function digestAt(key: string, { store, scratchFolder, signal }: Objects): Promise<string | null> {
  const copy = join(scratchFolder, 'looked-at.parquet');
  try {
    return (await store.download(key, copy, signal))?.sha256 ?? null;
  } finally {
    await rm(copy, { force: true });
  }
}
