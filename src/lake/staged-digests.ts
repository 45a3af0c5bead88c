/**
 * What staged rows say, in digests: one for each job, or for each slice that is replaced as a whole. Two digests are equal
 * if AWS shows the same. Provenance, such as the time of the observation, has no part in it.
 */
import { hash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { Row, Table, Value } from '../tables/table.ts';
import { DigestTable } from './digest-table.ts';
import { lineFeed, typedEnding, wholeLinesIn } from './staged-files.ts';
import { notComparedHeads } from './staged-line.ts';
import { scratchError } from './stores/file-errors.ts';

export interface StagedDigests {
  /**
   * By unit (`unitOf`). NaN: the rows contradict each other, or have no observation time, so that only a merge can tell what
   * comes of them.
   */
  readonly digests: DigestTable;
  /** Different keys. */
  readonly rows: number;
  /** All staged rows. If there are as many different keys, each has one row. */
  readonly lines: number;
  /** The latest time among `observed_at` and `first_observed_at`; null: none. */
  readonly latest: number | null;
}

/**
 * What is merged as one: the values of an upsert's key, or of a slice. A collision of two units only costs a merge.
 * @returns 53 bits
 */
export function unitOf(values: readonly Value[]): number {
  const [only] = values;
  return unitOfText(
    values.length === 1 && typeof only === 'string' ? latin1(only) : latin1(JSON.stringify(values)),
  );
}

/** @param stagedRows about how many lines the files have */
export async function digestsOf(
  table: Table,
  files: readonly string[],
  stagedRows: number,
): Promise<StagedDigests | null> {
  switch (table.merge.kind) {
    case 'upsert':
      return await digestsOfKeys(table, files, stagedRows);
    case 'replace-slice':
      return await digestsOfSlices(table, files);
    case 'append':
      return null;
  }
}

async function digestsOfKeys(
  table: Table,
  files: readonly string[],
  stagedRows: number,
): Promise<StagedDigests> {
  const digests = new DigestTable(stagedRows);
  let latest: number | null = null;
  let count = 0;
  for await (const entries of entriesIn(table, files)) {
    for (const { unit, digest, observed } of linesIn(entries)) {
      count += 1;
      latest = later(latest, observed);
      const known = digests.get(unit);
      digests.set(unit, known === undefined || known === digest ? digest : Number.NaN);
    }
  }
  return { digests, rows: digests.size, lines: count, latest };
}

/** The digest of a slice is the sum of those of its rows, which does not depend on their order. */
async function digestsOfSlices(table: Table, files: readonly string[]): Promise<StagedDigests> {
  const digests = new DigestTable();
  const observedAt = new Map<number, number | null>();
  const keys = new Set<number>();
  let latest: number | null = null;
  let count = 0;
  for await (const entries of entriesIn(table, files)) {
    for (const { unit, key, digest, observed } of linesIn(entries)) {
      count += 1;
      latest = later(latest, observed);
      keys.add(key);
      // Of several drains of a slice, the latest wins as a whole.
      const isOneDrain = !observedAt.has(unit) || observedAt.get(unit) === observed;
      observedAt.set(unit, observed);
      digests.set(unit, ((digests.get(unit) ?? 0) + (isOneDrain ? digest : Number.NaN)) % 2 ** digestBits);
    }
  }
  return { digests, rows: keys.size, lines: count, latest };
}

/** Where the digests of a file of typed rows are. They come from its lines, which are gone. */
function digestsBeside(typed: string): string {
  return `${typed}.digests`;
}

/** Writes the digests of lines that become a file of typed rows. Returns their bytes. @throws ScratchError */
export async function writeDigestsBeside(table: Table, lines: string, typed: string): Promise<number> {
  const file = digestsBeside(typed);
  let bytes = 0;
  for await (const entries of entriesIn(table, [lines])) {
    const some = new Uint8Array(entries.buffer, entries.byteOffset, entries.byteLength);
    await writeFile(file, some, { flag: 'a', mode: 0o600 }).catch((error) => {
      throw scratchError('written', file, error);
    });
    bytes += some.length;
  }
  return bytes;
}

/** What each line says, in four numbers: its unit, a number for its key, its digest and its time. NaN: it has none. */
const numbersOfLine = 4;

async function* entriesIn(table: Table, files: readonly string[]): AsyncGenerator<Float64Array> {
  const lines = files.filter((file) => !file.endsWith(typedEnding));
  for await (const piece of wholeLinesIn(lines)) yield entriesOf(table, piece);
  for (const file of files.filter((file) => file.endsWith(typedEnding))) {
    const bytes = await readFile(digestsBeside(file)).catch((error) => {
      throw scratchError('read', digestsBeside(file), error);
    });
    yield new Float64Array(Uint8Array.from(bytes).buffer);
  }
}

function entriesOf(table: Table, lines: Buffer): Float64Array {
  const { merge } = table;
  const heads = notComparedHeads(table);
  const entries: number[] = [];
  for (const line of linesOf(lines)) {
    const { content, observed } = splitLine(line, heads);
    const digest = observed === null ? Number.NaN : digestOf(content);
    if (merge.kind === 'replace-slice') {
      const row = parsed(line);
      const unitIn = (names: readonly string[]) => unitOf(names.map((name) => row[name] ?? null));
      entries.push(unitIn(merge.slice), unitIn(merge.key), digest, observed ?? Number.NaN);
    } else {
      const unit = unitOfLine(line, merge.kind === 'upsert' ? merge.key : []);
      entries.push(unit, unit, digest, observed ?? Number.NaN);
    }
  }
  return Float64Array.from(entries);
}

function* linesIn(entries: Float64Array) {
  for (let at = 0; at < entries.length; at += numbersOfLine) {
    const observed = entries[at + 3] ?? Number.NaN;
    yield {
      unit: entries[at] ?? 0,
      key: entries[at + 1] ?? 0,
      digest: entries[at + 2] ?? Number.NaN,
      observed: Number.isNaN(observed) ? null : observed,
    };
  }
}

function* linesOf(lines: Buffer): Generator<Buffer> {
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf(lineFeed, at);
    yield lines.subarray(at, end < 0 ? lines.length : end);
    at = end < 0 ? lines.length : end + 1;
  }
}

/** The columns that are not compared stand in the last bytes of a line, as far as they matter here. */
const tailBytes = 768;

/**
 * A line as the compared columns, which stand first, and its time. If another column stays with the compared ones, equal rows
 * may have other digests, but never different rows the same. Only the end of a line is decoded, as Latin-1: one character for
 * each byte.
 */
function splitLine(
  line: Buffer,
  heads: readonly string[],
): { readonly content: Buffer; readonly observed: number | null } {
  const from = Math.max(0, line.length - tailBytes);
  const tail = line.toString('latin1', from);
  // A quotation mark within a text is escaped, so none of these can be part of one.
  let at = tail.length;
  for (const head of heads) {
    const found = tail.indexOf(head);
    if (found >= 0 && found < at) at = found;
  }
  const observed = timeIn(tail, ',"observed_at":');
  const first = timeIn(tail, ',"first_observed_at":');
  return {
    content: line.subarray(0, from + at),
    observed: observed === null ? null : later(first, observed),
  };
}

function timeIn(tail: string, head: string): number | null {
  const at = tail.indexOf(head);
  if (at < 0) return null;
  const time = Number.parseFloat(tail.slice(at + head.length, at + head.length + 24));
  return Number.isNaN(time) ? null : time;
}

/** A key of a single text stands at the beginning of its line, within this many bytes. */
const keyBytes = 128;

function unitOfLine(line: Buffer, key: readonly string[]): number {
  const [only] = key;
  const head = `{"${only}":"`;
  const begin = line.toString('latin1', 0, keyBytes);
  const end = begin.indexOf('"', head.length);
  if (key.length === 1 && end > 0 && begin.startsWith(head)) {
    const text = begin.slice(head.length, end);
    if (!text.includes('\\')) return unitOfText(text);
  }
  const row = parsed(line);
  return unitOf(key.map((name) => row[name] ?? null));
}

function parsed(line: Buffer): Row {
  // Safe: this program staged it as an object with the table's columns.
  return JSON.parse(line.toString('utf8')) as Row;
}

function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Two hashes of 32 bits that differ in how they mix, of which 53 bits are taken. */
function unitOfText(text: string): number {
  let [a, b] = [0x811c9dc5, 0x2545f491];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul((b << 5) ^ (b >>> 3) ^ code, 0x9e3779b1);
  }
  a = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d);
  b = Math.imul(b ^ (b >>> 16), 0x297a2d39);
  return ((a ^ (a >>> 12)) >>> 0) * 2 ** 21 + ((b ^ (b >>> 15)) >>> 11);
}

const digestBits = 52;

/** The first 52 bits of the SHA-256: exact in a number, and so are sums of two. */
function digestOf(content: Buffer): number {
  const bytes = hash('sha256', content, 'binary');
  const byte = (at: number) => bytes.charCodeAt(at);
  const high = (byte(0) << 16) | (byte(1) << 8) | byte(2);
  const low = (byte(3) << 20) | (byte(4) << 12) | (byte(5) << 4) | (byte(6) >>> 4);
  return high * 2 ** 28 + low;
}

function later(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}
