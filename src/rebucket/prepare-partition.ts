/** The new parts of one partition, made beside the lake: nobody who reads the tables sees them yet. */
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { footerOf, openPart } from '../lake/engines/part-reader.ts';
import { splitParts } from '../lake/engines/split-parts.ts';
import { parseTableKey, partitionPrefix, partKey } from '../lake/layout.ts';
import { contradiction, damagedPart, expectedFooter } from '../lake/part-placement.ts';
import { newPartsPrefix } from '../lake/rebucketed-view.ts';
import { sha256Of } from '../lake/scratch-file.ts';
import type { Table } from '../tables/table.ts';
import { type Objects, writeFileTo, writeRecordTo } from './objects.ts';
import { joinedPrefix, type Piece, type PlannedPart, pieceKey } from './pieces.ts';

export interface PrepareOptions extends Objects {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly memoryLimitBytes: number;
  readonly programVersion: string;
}

/** @throws LakeError, EngineError, ScratchError; the signal's reason */
export async function preparePartition(table: Table, prefix: string, options: PrepareOptions): Promise<void> {
  const { store, id, from, to, signal } = options;
  const folder = join(options.scratchFolder, 'partition');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    const existing = new Map<number, string>();
    const before: Piece['before'][number][] = [];
    let partition: Readonly<Record<string, string>> = {};
    for await (const key of store.list(prefix, {}, signal)) {
      const place = parseTableKey(table, key, from);
      if (place === null || place.bucket === null) continue;
      const file = join(folder, `present-${place.bucket}.parquet`);
      const found = await store.download(key, file, signal);
      if (found === null) continue;
      const why = contradiction(expectedFooter(table, place, from), footerOf(await openPart(file)));
      if (why !== null) throw damagedPart(key, store.url, why);
      partition = place.partition;
      existing.set(place.bucket, file);
      before.push({ key, sha256: found.sha256, etag: found.etag });
    }
    const output = (bucket: number, kind: 'new' | 'joined') => join(folder, `${kind}-${bucket}.parquet`);
    const metadata = {
      program: `backup-copy-export/${options.programVersion}`,
      rebucket: id,
      schema_version: String(table.schemaVersion),
    };
    const { memoryLimitBytes } = options;
    const spill = join(folder, 'spill');
    const split = await splitParts({
      table,
      partition,
      existing,
      from,
      to,
      output,
      metadata,
      memoryLimitBytes,
      spill,
    });
    const stage = async (
      kind: 'new' | 'joined',
      below: string,
      { bucket, rows }: { readonly bucket: number; readonly rows: number },
    ): Promise<PlannedPart> => {
      const key = partKey(table, partition, bucket);
      const file = output(bucket, kind);
      const [{ size: bytes }, sha256] = [await stat(file), await sha256Of(file)];
      await writeFileTo(options, `${below}${key}`, { file: async () => file, sha256 }, null, {
        rebucket: id,
      });
      return { key, sha256, bytes, rows };
    };
    const after: PlannedPart[] = [];
    for (const part of split.parts) after.push(await stage('new', newPartsPrefix(id), part));
    const joined: PlannedPart[] = [];
    for (const part of split.joined) joined.push(await stage('joined', joinedPrefix(id), part));
    const piece: Piece = { partition: prefix, rows: split.rows, before, after, joined };
    if (before.length > 0 && prefix !== partitionPrefix(table, partition))
      throw new TypeError(`${prefix} is not the prefix of its parts`);
    await writeRecordTo(options, pieceKey(id, prefix), piece);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
