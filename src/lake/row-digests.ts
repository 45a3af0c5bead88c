/**
 * The digests of a part's rows, in an object of its own in the ledger. They tell without the part that staged rows change
 * nothing. The object is a cache: it names the content that it belongs to (the part's ETag and SHA-256) and holds its own
 * SHA-256. If it is lost, damaged, or of another content, the part is merged as if there were none. It may lack rows: rows
 * without a digest are merged.
 */
import { createHash, hash } from 'node:crypto';
import { comparedColumns, type Table } from '../tables/table.ts';
import { DigestTable } from './digest-table.ts';
import type { StagedFate } from './engines/engine.ts';
import { unitOf } from './line-digests.ts';
import type { StagedDigests } from './staged-digests.ts';

export interface RowDigests {
  /** The part that they belong to. */
  readonly part: {
    readonly etag: string;
    /** Hex. */
    readonly sha256: string;
    readonly bytes: number;
    readonly rows: number;
  };
  /** No row with a digest was observed later; milliseconds since the epoch. */
  readonly latest: number;
  readonly digests: DigestTable;
}

/**
 * Whether the part has all these rows, so that a merge would change nothing.
 * @param latest the latest time when a published row can have been observed
 */
export function hasAll(known: RowDigests, staged: StagedDigests, latest: number): boolean {
  // If a published row claims to be of the future, its clock was wrong, and any staged row replaces it.
  return known.latest <= latest && staged.digests.isWithin(known.digests);
}

/**
 * The digests after a merge.
 * @param before those of the part that was merged; null: none are known
 * @param latest the one that the merge was given
 */
export function digestsAfter(
  before: RowDigests | null,
  staged: StagedDigests,
  fate: StagedFate,
  part: RowDigests['part'],
  latest: number,
): RowDigests {
  const kept = before !== null && before.latest <= latest ? before : null;
  const digests = new DigestTable(Math.max(kept?.digests.size ?? 0, staged.digests.size));
  if (kept !== null) digests.setAll(kept.digests, (unit) => staged.digests.get(unit) === undefined);
  if (fate.unlike !== null) {
    const unlike = new Set(fate.unlike.map(unitOf));
    digests.setAll(staged.digests, (unit, digest) => !Number.isNaN(digest) && !unlike.has(unit));
  }
  const times = [kept?.latest, staged.latest, fate.latestPublished].filter(
    (time) => typeof time === 'number',
  );
  return { part, latest: Math.max(0, ...times), digests };
}

/** The compared columns: with others, equal rows may have other digests, and different rows the same. */
function columnsOf(table: Table): string {
  const columns = comparedColumns(table).map(({ name, type }) => `${name} ${type}`);
  const { merge } = table;
  const unit = merge.kind === 'upsert' ? merge.key : merge.kind === 'replace-slice' ? merge.slice : [];
  return hash('sha256', JSON.stringify([columns, unit]));
}

/** 1: the digests are of lines that were JSON. */
const format = 2;

interface Head {
  readonly format: typeof format;
  readonly key: string;
  readonly buckets: number;
  readonly columns: string;
  readonly part: RowDigests['part'];
  readonly latest: number;
}

/** @param key the part's; @param buckets the lake's */
export function formatRowDigests(known: RowDigests, table: Table, key: string, buckets: number): Uint8Array {
  const { part, latest, digests } = known;
  const head: Head = { format, key, buckets, columns: columnsOf(table), part, latest };
  const entries = digests.bytes();
  const text = JSON.stringify(head);
  return Buffer.concat([Buffer.from(`${sha256(text, entries)} ${text}\n`), entries]);
}

/** Null: they are damaged, or of another program, part or bucket count. */
export function parseRowDigests(
  bytes: Uint8Array,
  table: Table,
  key: string,
  buckets: number,
): RowDigests | null {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = all.indexOf('\n');
  if (end < 0) return null;
  const line = all.subarray(0, end).toString('utf8');
  const entries = all.subarray(end + 1);
  const text = line.slice(65);
  if (line.slice(0, 65) !== `${sha256(text, entries)} ` || entries.length % 16 !== 0) return null;
  // Safe: its SHA-256 shows that this program wrote it; the format says which version of it.
  const head = JSON.parse(text) as Head;
  if (head.format !== format || head.key !== key || head.buckets !== buckets) return null;
  if (head.columns !== columnsOf(table)) return null;
  return { part: head.part, latest: head.latest, digests: DigestTable.fromBytes(entries) };
}

function sha256(head: string, entries: Uint8Array): string {
  return createHash('sha256').update(head).update(entries).digest('hex');
}
