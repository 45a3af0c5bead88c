/**
 * The groups of a part's rows, in an object of its own in the ledger, so that a run reads only parts that have changed since
 * they were counted. The object is a cache: it names the ETag of the part that was counted, and begins with the SHA-256 of
 * the rest. If it is lost, damaged, or of another content, the part is counted again.
 */
import { hash, randomUUID } from 'node:crypto';
import { partCountsKey } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { type Group, groupTexts } from './count-part.ts';

export interface PartCounts {
  /** Of the part that was counted. */
  readonly partEtag: string;
  readonly groups: readonly Group[];
}

/** Increased when other groups are made of the same rows. */
const format = 1;

interface Stored {
  readonly format: number;
  readonly key: string;
  readonly fields: string;
  readonly part_etag: string;
  /** Each text once. */
  readonly texts: readonly string[];
  /** For each group the places of its texts (-1: null), then its jobs. */
  readonly numbers: readonly number[];
}

/** @param key the part's */
export function formatPartCounts({ partEtag, groups }: PartCounts, key: string): Uint8Array {
  const places = new Map<string, number>();
  const placeOf = (text: string | null) => {
    if (text === null) return -1;
    const place = places.get(text) ?? places.size;
    places.set(text, place);
    return place;
  };
  const numbers = groups.flatMap(({ texts, jobs }) => [...texts.map(placeOf), jobs]);
  const stored: Stored = {
    format,
    key,
    part_etag: partEtag,
    fields: groupTexts.join(),
    texts: [...places.keys()],
    numbers,
  };
  const text = JSON.stringify(stored);
  return Buffer.from(`${hash('sha256', text)} ${text}\n`);
}

/** Null: they are damaged, or of another part or program. */
export function parsePartCounts(bytes: Uint8Array, key: string): PartCounts | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const json = text.slice(65, -1);
  if (text !== `${hash('sha256', json)} ${json}\n`) return null;
  // Safe: its SHA-256 shows that this program wrote it; the format says which version of it.
  const stored = JSON.parse(json) as Stored;
  if (stored.format !== format || stored.key !== key || stored.fields !== groupTexts.join()) return null;
  const { part_etag: partEtag, texts, numbers } = stored;
  const groups: Group[] = [];
  for (let at = 0; at < numbers.length; at += groupTexts.length + 1) {
    groups.push({
      texts: groupTexts.map((_, place) => texts[numbers[at + place] ?? -1] ?? null),
      jobs: numbers[at + groupTexts.length] ?? 0,
    });
  }
  return { partEtag, groups };
}

/** What the ledger has, and the ETag of its object; null: there is none. */
export interface FoundCounts {
  readonly counts: PartCounts | null;
  readonly etag: string | null;
}

/** @throws LakeError; the signal's reason */
export async function readPartCounts(
  store: Pick<Store, 'read'>,
  key: string,
  signal: AbortSignal,
): Promise<FoundCounts> {
  const found = await store.read(partCountsKey(key), signal);
  if (found === null) return { counts: null, etag: null };
  return { counts: parsePartCounts(found.bytes, key), etag: found.etag };
}

/**
 * If another run writes them at the same time, either are right or of a content that is gone.
 * @throws LakeError; the signal's reason
 */
export async function keepPartCounts(
  store: Pick<Store, 'put'>,
  key: string,
  counts: PartCounts,
  etag: FoundCounts['etag'],
  signal: AbortSignal,
): Promise<void> {
  await store.put(
    {
      key: partCountsKey(key),
      body: { bytes: formatPartCounts(counts, key) },
      condition: etag === null ? { ifAbsent: true } : { ifMatch: etag },
      writeId: randomUUID(),
      metadata: {},
      contentType: 'application/json',
    },
    signal,
  );
}
