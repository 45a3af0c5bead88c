/**
 * Holds rows between reading and publishing: as CSV on local disk, in files of one table, partition and
 * bucket of a batch. A buffer for all files together bounds the memory, and only a few files are open at a time. If the engine
 * can, full files of a large batch become typed rows while reading goes on.
 */
import { rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { ScratchError } from '../shared/errors.ts';
import { freeBytes } from '../shared/free-bytes.ts';
import type { Row, Table } from '../tables/table.ts';
import type { Engine } from './engines/engine.ts';
import { KeptDigests, type StagedLineDigests } from './kept-digests.ts';
import { bucketOf, partKey } from './layout.ts';
import { type LineDigests, RowLineDigests } from './line-digests.ts';
import type { PartLines } from './page-lines.ts';
import { appendPieces, frameOf, packedEnding, typedEnding } from './staged-files.ts';
import { lineOf } from './staged-line.ts';
import { makeFolder, systemCode } from './stores/durable-files.ts';
import { compareKeys } from './stores/key.ts';

export interface StagingOptions {
  /** Must exist. Nobody else uses it. */
  readonly folder: string;
  /** The lake's bucket count. */
  readonly buckets: number;
  /** The buffer for all files together; default 16 MiB. */
  readonly bufferBytes?: number;
  /** The memory for the digests of the rows of all parts together; default 4 MiB. */
  readonly digestBytes?: number;
  /**
   * Once a batch has this many bytes, what is added is packed with zstd. A row then takes a tenth of the space, so that even a
   * large run fits into one batch and writes each part once. Smaller runs do without the work. Default: never. Typed rows
   * are packed in its place, and then more so.
   */
  readonly packFrom?: number;
  /** Makes typed rows of full files, one file at a time. Default: all rows stay lines. */
  readonly typed?: NonNullable<Engine['typed']>;
  /** Once a batch has this many bytes, files become typed rows as they get full; earlier ones stay lines. Default: 0. */
  readonly typeFrom?: number;
  /** A file is full with this many bytes; default 8 MiB. */
  readonly fullBytes?: number;
  /** Reserves disk space; see Scratch. */
  readonly reserve?: (bytes: number) => () => void;
}

/** The staged rows of one part. */
export interface StagedPart {
  readonly key: string;
  readonly table: Table;
  readonly partition: Readonly<Record<string, string>>;
  readonly bucket: number;
  /** Files as in staged-files.ts, with the table's columns that are not derived. */
  readonly files: readonly string[];
  readonly rows: number;
  /** Of the rows, unpacked. */
  readonly bytes: number;
  readonly digests: StagedLineDigests;
  /** The drains that staged rows into it, by the `origin` that they gave. */
  readonly origins: ReadonlySet<string>;
}

/** Rows that could not be written to disk, so that they cannot be published. */
export interface LostPart {
  readonly key: string;
  readonly table: Table;
  readonly origins: ReadonlySet<string>;
  /** A ScratchError. */
  readonly error: unknown;
}

export interface StagedBatch {
  /** Ascending by key. */
  readonly parts: readonly StagedPart[];
  /** Ascending by key. Their rows are dropped, and the memory is free again. */
  readonly lost: readonly LostPart[];
  /** Deletes the files and releases their space. */
  remove(): Promise<void>;
}

export interface Staging {
  /**
   * Adds rows, in memory or on disk. Resolves when the buffer is within its limit again. Each row has the values of its
   * partition columns, and an `account_id` that decides its bucket.
   * @throws ScratchError when the disk is full or not writable. Rows that were added before are still complete
   */
  stage(table: Table, rows: readonly Row[], origin: string): Promise<void>;
  /** The same for rows that are lines already. Their bytes are freed once they are on disk. */
  stageLines(table: Table, parts: readonly PartLines[], origin: string): Promise<void>;
  /** Bytes that are not in a closed batch, in memory and on disk. */
  bytes(): number;
  /**
   * Closes what was staged so far as one batch. Does not reject: `lost` lists what could not be written.
   * @param only the rows of this table. Default: all
   */
  rotate(only?: Table): Promise<StagedBatch>;
  /** Resolves when nothing is written any more. Nothing may be staged afterwards. */
  close(): Promise<void>;
}

/** A file of plain lines, until they are typed rows. */
interface StagedFile {
  path: string;
  rows: number;
  bytes: number;
  readonly releases: (() => void)[];
}

interface OpenPart {
  readonly key: string;
  readonly table: Table;
  readonly partition: Readonly<Record<string, string>>;
  readonly bucket: number;
  /** The path of its files, without their endings. */
  readonly path: string;
  readonly origins: Set<string>;
  readonly digests: KeptDigests;
  rows: number;
  buffered: Uint8Array[];
  bufferedBytes: number;
  /** Of the rows, those that are on disk. */
  writtenRows: number;
  /** Files without packed lines. Lines are appended to the last one, unless it is full. */
  readonly files: StagedFile[];
  readonly packed: StagedFile;
  isLastFull: boolean;
  /** Whether the engine left lines of this part as they were. */
  staysLines: boolean;
  /** On disk, unpacked. */
  writtenBytes: number;
}

/** Of one table. */
interface OpenBatch {
  readonly folder: string;
  readonly parts: Map<string, OpenPart>;
  bytes: number;
  bytesOnDisk: number;
  /** In memory, for the digests of all parts. */
  digestBytes: number;
  /** Full files on their way to typed rows. */
  readonly typing: Promise<void>[];
  closed: boolean;
}

/** Lines of a part are encoded to bytes when they reach about this length. */
const textBytes = 1024 * 1024;

/** How many parts are written at once when a batch ends. Each has a file of its own. */
const writesAtOnce = 4;

export function openStaging(options: StagingOptions): Staging {
  const {
    folder,
    buckets,
    bufferBytes = 16 * 1024 * 1024,
    digestBytes = 4 * 1024 * 1024,
    packFrom,
    typed,
    typeFrom = 0,
    fullBytes = 8 * 1024 * 1024,
    reserve = () => () => undefined,
  } = options;
  let batches = 0;
  /** By table. */
  const open = new Map<string, OpenBatch>();
  let buffered = 0;
  /** One at a time keeps the order of appends. */
  const inTurn = pLimit(1);
  const oneTyped = pLimit(1);

  function batchOf({ name }: Table): OpenBatch {
    const known = open.get(name);
    if (known !== undefined) return known;
    batches += 1;
    const batch: OpenBatch = {
      folder: join(folder, `batch-${batches}`),
      parts: new Map(),
      bytes: 0,
      bytesOnDisk: 0,
      digestBytes: 0,
      typing: [],
      closed: false,
    };
    open.set(name, batch);
    return batch;
  }

  /** Of all open batches. */
  const sum = (of: (batch: OpenBatch) => number) => [...open.values()].reduce((all, one) => all + of(one), 0);

  async function stage(table: Table, rows: readonly Row[], origin: string): Promise<void> {
    const lines = new Map<OpenPart, RowLines>();
    const takeIn = (part: OpenPart, { texts, digests }: RowLines) => {
      takeInBytes(part, Buffer.from(texts.join('')), texts.length, origin);
      takeInDigests(part, digests);
    };
    for (const row of rows) {
      const part = partOf(table, row);
      const own = lines.get(part) ?? { texts: [], digests: new RowLineDigests(), length: 0 };
      lines.set(part, own);
      const [compared, rest] = lineOf(table, row);
      const line = `${compared}${rest}\n`;
      own.texts.push(line);
      own.digests.add(table, row, compared);
      own.length += line.length;
      // Long rows must not be in memory three times: as lines, joined, and as bytes.
      if (own.length < textBytes) continue;
      takeIn(part, own);
      lines.delete(part);
    }
    for (const [part, own] of lines) takeIn(part, own);
    await flushIfFull();
  }

  async function stageLines(table: Table, parts: readonly PartLines[], origin: string): Promise<void> {
    for (const { partition, bucket, rows, bytes, digests } of parts) {
      const part = openPart(table, partition, bucket);
      takeInDigests(part, digests);
      for (const [at, chunk] of bytes.entries()) takeInBytes(part, chunk, at === 0 ? rows : 0, origin);
    }
    await flushIfFull();
  }

  function takeInBytes(part: OpenPart, bytes: Uint8Array, rows: number, origin: string): void {
    part.buffered.push(bytes);
    part.bufferedBytes += bytes.length;
    part.rows += rows;
    part.origins.add(origin);
    batchOf(part.table).bytes += bytes.length;
    buffered += bytes.length;
  }

  function takeInDigests(part: OpenPart, digests: LineDigests): void {
    const before = part.digests.bytesHeld;
    part.digests.add(digests);
    batchOf(part.table).digestBytes += part.digests.bytesHeld - before;
  }

  async function flushIfFull(): Promise<void> {
    if (buffered > bufferBytes) await inTurn(() => flush(bufferBytes / 2));
    if (sum((batch) => batch.digestBytes) > digestBytes) await inTurn(() => spillDigests(digestBytes / 2));
  }

  /** The parts that are open, with their batches. */
  function openParts(): readonly (readonly [OpenBatch, OpenPart])[] {
    return [...open.values()].flatMap((batch) =>
      [...batch.parts.values()].map((part) => [batch, part] as const),
    );
  }

  /** Moves the largest ones to disk until at most `keep` bytes are in memory. */
  async function spillDigests(keep: number): Promise<void> {
    const largestFirst = [...openParts()].sort(([, a], [, b]) => b.digests.bytesHeld - a.digests.bytesHeld);
    for (const [target, { digests }] of largestFirst) {
      if (sum((batch) => batch.digestBytes) <= keep || digests.bytesHeld === 0) return;
      // Without the folder they cannot be written, which `spill` takes in its stride.
      if (target.bytesOnDisk === 0) await makeFolder(target.folder).catch(() => undefined);
      target.digestBytes -= digests.bytesHeld;
      const written = await digests.spill(reserve);
      target.bytesOnDisk += written;
      target.bytes += written;
    }
  }

  function partOf(table: Table, row: Row): OpenPart {
    const partition = Object.fromEntries(table.partitions.map(({ name }) => [name, String(row[name] ?? '')]));
    const account = row.account_id;
    if (typeof account !== 'string')
      throw new TypeError(`${table.name}: a row without account_id cannot be staged`);
    return openPart(table, partition, bucketOf(account, buckets));
  }

  function openPart(table: Table, partition: Readonly<Record<string, string>>, bucket: number): OpenPart {
    const key = partKey(table, partition, bucket);
    const batch = batchOf(table);
    const known = batch.parts.get(key);
    if (known !== undefined) return known;
    const part: OpenPart = {
      key,
      table,
      partition,
      bucket,
      path: join(batch.folder, `${batch.parts.size}`),
      origins: new Set(),
      digests: new KeptDigests(join(batch.folder, `${batch.parts.size}.digests`)),
      rows: 0,
      buffered: [],
      bufferedBytes: 0,
      writtenRows: 0,
      files: [],
      packed: stagedFile(join(batch.folder, `${batch.parts.size}.csv${packedEnding}`)),
      isLastFull: true,
      staysLines: typed === undefined,
      writtenBytes: 0,
    };
    batch.parts.set(key, part);
    return part;
  }

  /** Writes the largest buffers to disk until at most `keep` bytes are in memory. So appends are few and large. */
  async function flush(keep: number): Promise<void> {
    const largestFirst = [...openParts()].sort(([, a], [, b]) => b.bufferedBytes - a.bufferedBytes);
    for (const [target, part] of largestFirst) {
      if (buffered <= keep || part.bufferedBytes === 0) return;
      await append(target, part);
    }
  }

  async function append(target: OpenBatch, part: OpenPart): Promise<void> {
    const chunks = part.buffered;
    const bytes = part.bufferedBytes;
    const packs = isLarge(target) && part.staysLines;
    const file = packs ? part.packed : fileToAppend(part);
    part.buffered = [];
    part.bufferedBytes = 0;
    let release: () => void = () => undefined;
    try {
      const body = packs ? await frameOf(chunks) : chunks;
      const written = body.reduce((sum, { length }) => sum + length, 0);
      release = reserve(written);
      if (target.bytesOnDisk === 0) await makeFolder(target.folder);
      await appendPieces(file.path, body);
      for (const chunk of chunks) freeBytes(chunk);
      file.bytes += written;
      target.bytesOnDisk += written;
      target.bytes -= bytes - written;
    } catch (error) {
      release();
      // A line that a full disk has cut off would corrupt the file. The rows stay in memory.
      await truncate(file.path, file.bytes).catch(() => undefined);
      part.buffered = [...chunks, ...part.buffered];
      part.bufferedBytes += bytes;
      throw stagingProblem(file.path, error);
    }
    file.releases.push(release);
    file.rows += part.rows - part.writtenRows;
    part.writtenRows = part.rows;
    part.writtenBytes += bytes;
    buffered -= bytes;
    if (!packs && !part.staysLines && file.bytes >= fullBytes && !target.closed) {
      part.isLastFull = true;
      if (target.bytes >= typeFrom) target.typing.push(oneTyped(() => makeTyped(target, part, file)));
    }
  }

  function isLarge(target: OpenBatch): boolean {
    return packFrom !== undefined && target.bytes >= packFrom;
  }

  function fileToAppend(part: OpenPart): StagedFile {
    const last = part.files.at(-1);
    if (last !== undefined && !part.isLastFull) return last;
    const number = part.files.length === 0 ? '' : `-${part.files.length}`;
    const file = stagedFile(`${part.path}${number}.csv`);
    part.files.push(file);
    part.isLastFull = false;
    return file;
  }

  /** Whatever fails here, the lines are still there, and a merge reads them. */
  async function makeTyped(target: OpenBatch, part: OpenPart, file: StagedFile): Promise<void> {
    if (typed === undefined || target.closed || part.staysLines) return;
    const { path: lines, rows, bytes } = file;
    const output = lines.replace(/\.csv$/, typedEnding);
    let release: () => void = () => undefined;
    try {
      release = reserve(bytes);
      if (!(await typed({ table: part.table, lines, rows, bytes, output, compact: isLarge(target) }))) {
        part.staysLines = true;
        return;
      }
      const { size } = await stat(output);
      release();
      release = reserve(size);
      await rm(lines);
      for (const releaseLines of file.releases.splice(0)) releaseLines();
      Object.assign(file, { path: output, bytes: size });
      file.releases.push(release);
      target.bytes -= bytes - size;
      release = () => undefined;
    } catch {
      part.staysLines = true;
      await rm(output, { force: true }).catch(() => undefined);
    } finally {
      release();
    }
  }

  async function rotate(only?: Table): Promise<StagedBatch> {
    const closed = [...open].filter(([name]) => only === undefined || name === only.name);
    for (const [name, batch] of closed) {
      open.delete(name);
      batch.closed = true;
    }
    return await batchFrom(closed.map(([, batch]) => batch));
  }

  async function batchFrom(closed: readonly OpenBatch[]): Promise<StagedBatch> {
    const lost = new Map<OpenPart, unknown>();
    await inTurn(async () => {
      const some = pLimit(writesAtOnce);
      const appends = closed
        .flatMap((batch) => [...batch.parts.values()].map((part) => [batch, part] as const))
        .filter(([, { bufferedBytes }]) => bufferedBytes > 0)
        .map(([batch, part]) =>
          some(() =>
            append(batch, part).catch((error) => {
              lost.set(part, error);
              buffered -= part.bufferedBytes;
              part.buffered = [];
              part.bufferedBytes = 0;
            }),
          ),
        );
      await Promise.all(appends);
    });
    await Promise.all(closed.flatMap(({ typing }) => typing));
    const parts = closed
      .flatMap((batch) => [...batch.parts.values()])
      .sort((a, b) => compareKeys(a.key, b.key));
    return {
      lost: parts
        .filter((part) => lost.has(part))
        .map((part) => ({ key: part.key, table: part.table, origins: part.origins, error: lost.get(part) })),
      parts: parts
        .filter((part) => !lost.has(part))
        .map(({ key, table, partition, bucket, origins, digests, rows, writtenBytes, files, packed }) => ({
          ...{ key, table, partition, bucket, origins, digests, rows, bytes: writtenBytes },
          files: [...files, packed].filter(({ bytes }) => bytes > 0).map(({ path }) => path),
        })),
      async remove() {
        for (const { folder: ofBatch } of closed) {
          await rm(ofBatch, { recursive: true, force: true }).catch((error) => {
            throw stagingProblem(ofBatch, error);
          });
        }
        for (const { files, packed, digests } of parts) {
          digests.release();
          for (const { releases } of [...files, packed]) for (const release of releases.splice(0)) release();
        }
      },
    };
  }

  async function close(): Promise<void> {
    for (const batch of open.values()) batch.closed = true;
    await Promise.all([...open.values()].flatMap(({ typing }) => typing));
  }

  return { stage, stageLines, rotate, close, bytes: () => sum(({ bytes }) => bytes) };
}

function stagedFile(path: string): StagedFile {
  return { path, rows: 0, bytes: 0, releases: [] };
}

interface RowLines {
  readonly texts: string[];
  readonly digests: RowLineDigests;
  length: number;
}

function stagingProblem(file: string, error: unknown): ScratchError {
  if (error instanceof ScratchError) return error;
  const cause = systemCode(error) ?? (error instanceof Error ? error.message : String(error));
  return new ScratchError(
    `Rows could not be staged in ${file} (${cause})`,
    'Set --scratch to a folder with more free space, or publish more often with a smaller --publish-every.',
    { cause: error },
  );
}
