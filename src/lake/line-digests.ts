/**
 * What staged lines say, in numbers that are made where the lines are: so nobody reads a line again to know what it says.
 * Two lines have the same digest if AWS shows the same. Provenance, such as the time of the observation, has no part in it.
 */
import { hash } from 'node:crypto';
import type { Row, Table, Value } from '../tables/table.ts';

/** Of some staged lines of one part. */
export interface LineDigests {
  /**
   * For each line of an upsert, its unit (`unitOf`) and its digest. For each line of a slice, the unit of the slice, the unit
   * of its key, its digest, and the time of its observation. NaN: it has none.
   */
  readonly entries: ArrayLike<number>;
  /** The latest time among `observed_at` and `first_observed_at`; null: none. */
  readonly latest: number | null;
}

/** How many numbers `entries` has for each line. */
export function numbersPerLine({ merge }: Table): number {
  switch (merge.kind) {
    case 'upsert':
      return 2;
    case 'replace-slice':
      return 4;
    case 'append':
      return 0;
  }
}

/** The digests of rows that become lines one by one. */
export class RowLineDigests implements LineDigests {
  readonly entries: number[] = [];
  latest: number | null = null;

  /** @param content the beginning of the line: the columns that decide whether a row changed */
  add({ merge }: Table, row: Row, content: string): void {
    if (merge.kind === 'append') return;
    const observed = typeof row.observed_at === 'number' ? row.observed_at : null;
    this.latest = later(this.latest, latestIn(row));
    const unitIn = (names: readonly string[]) => unitOf(names.map((name) => row[name] ?? null));
    const digest = observed === null ? Number.NaN : digestOf(content);
    if (merge.kind === 'upsert') this.entries.push(unitIn(merge.key), digest);
    else this.entries.push(unitIn(merge.slice), unitIn(merge.key), digest, observed ?? Number.NaN);
  }
}

function latestIn({ observed_at: observed, first_observed_at: first }: Row): number | null {
  if (typeof observed !== 'number') return null;
  return typeof first === 'number' ? Math.max(first, observed) : observed;
}

/** The later of two times; null: there is none. */
export function later(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

/**
 * What is merged as one: the values of an upsert's key, or of a slice. Not cryptographic, because two units that collide have
 * different digests, which only costs a merge.
 * @returns 53 bits
 */
export function unitOf(values: readonly Value[]): number {
  const [only] = values;
  const text = values.length === 1 && typeof only === 'string' ? only : JSON.stringify(values);
  const bytes = Buffer.from(text, 'utf8');
  return unitOfBytes(bytes, 0, bytes.length);
}

/** The unit of a key that is one text, from its UTF-8. Two hashes of 32 bits that differ in how they mix, of which 53 bits are taken. */
export function unitOfBytes(bytes: Buffer, from: number, to: number): number {
  let [a, b] = [0x811c9dc5, 0x2545f491];
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] ?? 0;
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul((b << 5) ^ (b >>> 3) ^ byte, 0x9e3779b1);
  }
  a = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d);
  b = Math.imul(b ^ (b >>> 16), 0x297a2d39);
  return ((a ^ (a >>> 12)) >>> 0) * 2 ** 21 + ((b ^ (b >>> 15)) >>> 11);
}

export const digestBits = 52;

/**
 * The first 52 bits of the SHA-256: exact in a number, and so are sums of two. Cryptographic, because two states of a job with
 * the same digest would hide a change.
 */
export function digestOf(content: Buffer | string): number {
  const bytes = hash('sha256', content, 'binary');
  const byte = (at: number) => bytes.charCodeAt(at);
  const high = (byte(0) << 16) | (byte(1) << 8) | byte(2);
  const low = (byte(3) << 20) | (byte(4) << 12) | (byte(5) << 4) | (byte(6) >>> 4);
  return high * 2 ** 28 + low;
}
