/**
 * `--quick`: compares a part with the ledger without reading it. On S3, a HEAD request gives its size, its ETag and the
 * SHA-256 that the run stored with it. A local lake has no such record, so its footer is read.
 */
import { footerOf, openPart } from '../lake/engines/part-reader.ts';
import type { TableKey } from '../lake/layout.ts';
import { contradiction, expectedFooter } from '../lake/part-placement.ts';
import type { ObjectHead, Store } from '../lake/stores/store.ts';
import { EngineError } from '../shared/errors.ts';
import type { Table } from '../tables/table.ts';
import type { Write } from './expected-objects.ts';
import type { Ledger } from './ledger.ts';

/** @returns whether all that can be seen without reading it is as a manifest names it */
export async function glance(
  table: Table,
  place: TableKey,
  {
    store,
    ledger,
    buckets,
    signal,
  }: {
    readonly store: Pick<Store, 'head'>;
    readonly ledger: Ledger;
    readonly buckets: number;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly head: ObjectHead; readonly write: Write } | null> {
  const head = await store.head(place.key, signal);
  const writes = ledger.expected.get(place.key)?.writes ?? [];
  if (head === null) return null;
  for (const write of writes) {
    if (write.bytes !== null && write.bytes !== head.size) continue;
    if (
      head.file === null ? isStored(head, write) : await isInFooter(head.file, table, place, buckets, write)
    ) {
      return { head, write };
    }
  }
  return null;
}

/** Programs that copy objects may drop the metadata, so a missing SHA-256 is no difference if the ETag is right. */
function isStored({ etag, metadata }: ObjectHead, write: Write): boolean {
  const sha256 = metadata.sha256;
  if (sha256 !== undefined && sha256 !== write.sha256) return false;
  return write.etag === null ? sha256 !== undefined : etag === write.etag;
}

async function isInFooter(
  file: string,
  table: Table,
  place: TableKey,
  buckets: number,
  write: Write,
): Promise<boolean> {
  try {
    const part = await openPart(file);
    const footer = footerOf(part);
    const isItsWriter = footer.get('run_id') === undefined || footer.get('run_id') === write.runId;
    return (
      isItsWriter &&
      (write.rows === null || part.rows === write.rows) &&
      contradiction(expectedFooter(table, place, buckets), footer) === null
    );
  } catch (error) {
    if (error instanceof EngineError) return false;
    throw error;
  }
}
