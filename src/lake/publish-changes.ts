/**
 * Publishes a part, unless its digests show that the staged rows change nothing. Then the part is neither read nor merged:
 * the run only makes sure that it is still the one that the digests belong to.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { currentEtag } from './current-etag.ts';
import type { StagedLineDigests } from './kept-digests.ts';
import { partKey, rowDigestsKey } from './layout.ts';
import { type Published, type PublishRequest, publishPart } from './publish.ts';
import { digestsAfter, formatRowDigests, hasAll, parseRowDigests, type RowDigests } from './row-digests.ts';
import { digestsOf, type StagedDigests } from './staged-digests.ts';

export interface ChangesRequest extends PublishRequest {
  /** Of the staged rows. */
  readonly digests: StagedLineDigests;
  /** Called before the part is merged. */
  readonly onMerge?: () => void;
}

/** @throws like publishPart; ScratchError */
export async function publishChanges(request: ChangesRequest, log: Pick<Logger, 'warn'>): Promise<Published> {
  const { store, table, signal } = request;
  const key = partKey(table, request.partition, request.bucket);
  const found = await readDigests(request, key, log);
  const known = found.known;
  const staged = await digestsOf(table, request.digests, request.stagedRows ?? 0);
  if (known !== null) {
    const latest = request.latest?.() ?? Number.POSITIVE_INFINITY;
    if (staged !== null && hasAll(known, staged, latest)) {
      // If it cannot be read, the merge says so.
      const etag = await currentEtag(store, key, signal).catch(() => {
        signal?.throwIfAborted();
        return null;
      });
      if (etag === known.part.etag) return unchanged(key, known, staged.rows);
    }
  }
  request.onMerge?.();
  const published = await publishPart({ ...request, distinctKeys: staged?.distinct === true });
  await keepDigests(request, published, { ...found, staged }, log);
  return published;
}

function unchanged(key: string, { part }: RowDigests, stagedRows: number): Published {
  const { rows, bytes, sha256, etag } = part;
  const outcome = { changed: false, rows, added: 0, updated: 0, unchanged: stagedRows, removed: 0 };
  return { key, outcome, read: { bytes, sha256 }, written: null, etag, latest: null };
}

interface Found {
  readonly known: RowDigests | null;
  /** Null: there is no such object. */
  readonly etag: string | null;
}

async function readDigests(
  { store, table, buckets, signal }: PublishRequest,
  key: string,
  log: Pick<Logger, 'warn'>,
): Promise<Found> {
  const found = await store.read(rowDigestsKey(key), signal).catch((err: unknown) => {
    signal?.throwIfAborted();
    log.warn({ err, key }, 'the digests of a part cannot be read, so its rows are compared one by one');
    return null;
  });
  if (found === null) return { known: null, etag: null };
  return { known: parseRowDigests(found.bytes, table, key, buckets), etag: found.etag };
}

/** Never fails: without digests, the next run merges. */
async function keepDigests(
  request: PublishRequest,
  { key, outcome, read, written, etag, latest }: Published,
  { known, etag: etagOfDigests, staged }: Found & { readonly staged: StagedDigests | null },
  log: Pick<Logger, 'warn'>,
): Promise<void> {
  const { store, table, buckets, runId, signal } = request;
  const { fate, rows } = outcome;
  const content = written ?? read;
  if (staged === null || fate === undefined || content === null || etag === null) return;
  try {
    const merged = known !== null && known.part.sha256 === read?.sha256 ? known : null;
    const part = { etag, sha256: content.sha256, bytes: content.bytes, rows };
    const after = digestsAfter(merged, staged, fate, part, latest ?? Number.POSITIVE_INFINITY);
    await store.put(
      {
        key: rowDigestsKey(key),
        body: { bytes: formatRowDigests(after, table, key, buckets) },
        // If another run writes them at the same time, either are right or belong to a part that is gone.
        condition: etagOfDigests === null ? { ifAbsent: true } : { ifMatch: etagOfDigests },
        writeId: randomUUID(),
        metadata: { 'run-id': runId },
        contentType: 'application/octet-stream',
      },
      signal,
    );
  } catch (err) {
    log.warn({ err, key }, 'the digests of a part cannot be kept, so the next run merges it again');
  }
}
