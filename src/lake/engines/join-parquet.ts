/**
 * Parquet files of the same columns as one file. Row groups are copied as they are, and only the footer is written anew: positions in a
 * file count from its beginning, so those in the footer move (github.com/apache/parquet-format,
 * src/main/thrift/parquet.thrift). To decode all rows and write them again took a tenth of a large run (docs/decisions.md).
 */
import { type FileHandle, open } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js';
import { endingWith, magic, readFooter } from './footer-bytes.ts';

const pieceBytes = 4 * 2 ** 20;

/** A structure of Thrift, by the numbers of its fields. */
type Struct = Record<`field_${number}`, unknown>;

/** FileMetaData. */
const [schema, rowCount, rowGroups, columnOrders] = ['field_2', 'field_3', 'field_4', 'field_7'] as const;
/** RowGroup. */
const [columns, groupOffset, ordinal] = ['field_1', 'field_5', 'field_7'] as const;
/** ColumnChunk: the positions of its metadata (0: none beside the footer), its offset index and its column index. */
const [chunkOffset, columnMetadata, chunkOffsets] = ['field_2', 'field_3', ['field_4', 'field_6']] as const;
/** ColumnMetaData: the positions of the data, index and dictionary pages and of the bloom filter. */
const pageOffsets = ['field_9', 'field_10', 'field_11', 'field_14'] as const;

/**
 * @param files at least one, in the order of their rows. What belongs to the file comes from the first one. Each is emptied once it was copied
 * @param output is written over
 * @returns the number of rows; null: a footer cannot be written as it was, and the output is of no use
 * @throws TypeError if they have different columns
 */
export async function joinParquet(files: readonly string[], output: string): Promise<number | null> {
  const joined = await open(output, 'w');
  try {
    let whole: Struct | null = null;
    let rows = 0n;
    let end = magic.length;
    await joined.write(magic);
    for (const path of files) {
      const file = await open(path, 'r+');
      try {
        const read = await footerOf(file);
        if (read === null) return null;
        const { footer, start } = read;
        if (whole !== null && !isDeepStrictEqual(columnsOf(footer), columnsOf(whole)))
          throw new TypeError(`${path} has other columns than ${files[0]}`);
        moveGroups(structs(footer[rowGroups]), BigInt(end - magic.length));
        await copyBytes(file, joined, magic.length, start);
        await file.truncate();
        end += start - magic.length;
        rows += bigint(footer[rowCount]);
        if (whole === null) whole = footer;
        else structs(whole[rowGroups]).push(...structs(footer[rowGroups]));
      } finally {
        await file.close();
      }
    }
    if (whole === null) throw new TypeError('there is no file to be joined');
    whole[rowCount] = rows;
    await joined.writeFile(endingWith(bytesOf(whole)));
    return Number(rows);
  } finally {
    await joined.close();
  }
}

/** Null: it has types that are not told apart here. */
async function footerOf(file: FileHandle): Promise<{ footer: Struct; start: number } | null> {
  const { start, bytes } = await readFooter(file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const footer: Struct = deserializeTCompactProtocol({ view, offset: 0 });
  // Thrift has more types than these two functions tell apart, and a group's number in the file would not move.
  const isSame = bytesOf(footer).equals(bytes);
  return isSame && structs(footer[rowGroups]).every((group) => !(ordinal in group))
    ? { footer, start }
    : null;
}

function bytesOf(footer: Struct): Buffer {
  const writer = new ByteWriter();
  serializeTCompactProtocol(writer, footer);
  return Buffer.from(writer.getBuffer());
}

function columnsOf(footer: Struct): readonly unknown[] {
  return [footer[schema], footer[columnOrders]];
}

function moveGroups(groups: readonly Struct[], by: bigint): void {
  for (const group of groups) {
    move(group, [groupOffset], by);
    for (const chunk of structs(group[columns])) {
      if (chunk[chunkOffset] !== 0n) move(chunk, [chunkOffset], by);
      move(chunk, chunkOffsets, by);
      for (const metadata of structs([chunk[columnMetadata]])) move(metadata, pageOffsets, by);
    }
  }
}

function move(struct: Struct, fields: readonly (keyof Struct)[], by: bigint): void {
  for (const field of fields) if (field in struct) struct[field] = bigint(struct[field]) + by;
}

function structs(value: unknown): Struct[] {
  if (!Array.isArray(value)) throw new TypeError('a footer without a list of structures');
  return value;
}

function bigint(value: unknown): bigint {
  if (typeof value !== 'bigint') throw new TypeError('a footer without a number of 64 bits');
  return value;
}

async function copyBytes(from: FileHandle, to: FileHandle, start: number, end: number): Promise<void> {
  const piece = Buffer.allocUnsafe(Math.min(pieceBytes, end - start));
  for (let at = start; at < end; ) {
    const { bytesRead } = await from.read(piece, 0, Math.min(piece.length, end - at), at);
    if (bytesRead === 0) throw new RangeError(`a file ends at ${at}, before ${end}`);
    await to.writeFile(piece.subarray(0, bytesRead));
    at += bytesRead;
  }
}
