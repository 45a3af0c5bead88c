/**
 * Tests whether a store really supports conditional writes, which "no loss" depends on. Some S3-compatible servers accept
 * the conditions and ignore them. The test uses one object without data.
 */
import { LakeError } from '../shared/errors.ts';
import { probeKey } from './layout.ts';
import type { PutOutcome, Store, WriteCondition } from './stores/store.ts';
import { storeWith } from './stores/store-with.ts';

/**
 * `complaint`: what the store did wrong. `multipart`: whether conditions also work for multipart uploads. If they do not,
 * the lake is still safe as long as the program never uses multipart uploads.
 */
export type ProbeOutcome =
  | { readonly safe: true; readonly multipart: boolean }
  | { readonly safe: false; readonly complaint: string };

/** How many writers replace the same object at once. Only one may win. */
const contenders = 4;

/**
 * Writes to the lake. Other programs may probe at the same time; their writes cannot make a safe store look unsafe.
 * @param writeId returns a new id on each call
 * @throws LakeError when the store cannot be read or written at all
 */
export async function probeStore(
  store: Store,
  writeId: () => string,
  signal?: AbortSignal,
): Promise<ProbeOutcome> {
  await touchStore(store, writeId, signal);
  const complaintOf = (multipart: boolean) => {
    const put = (condition: WriteCondition) => putProbe(store, condition, multipart, writeId(), signal);
    return complaintAbout(store, put, signal);
  };
  const complaint = await complaintOf(false);
  if (complaint !== null) return { safe: false, complaint };
  return { safe: true, multipart: (await complaintOf(true)) === null };
}

/** The same store, but it uploads every object in one request. S3 accepts up to 5 GiB that way. */
export function withoutMultipart(store: Store): Store {
  return storeWith(store, {
    put: (request, signal) => store.put({ ...request, multipart: false }, signal),
  });
}

/** What the store does wrong; null: nothing was found. The probe's object must exist. */
async function complaintAbout(
  store: Store,
  put: (condition: WriteCondition) => Promise<PutOutcome>,
  signal?: AbortSignal,
): Promise<string | null> {
  if ((await put({ ifAbsent: true })).written) {
    return 'it created an object that already existed (If-None-Match: * was ignored)';
  }
  const found = await store.read(probeKey, signal);
  if (found === null) return 'an object that was just written is missing';
  if ((await put({ ifMatch: otherEtag(found.etag) })).written) {
    return 'it replaced an object that had another ETag (If-Match was ignored)';
  }
  const outcomes = await Promise.all(Array.from({ length: contenders }, () => put({ ifMatch: found.etag })));
  const winners = outcomes.filter(({ written }) => written).length;
  return winners > 1
    ? `${winners} simultaneous writers replaced the same object (If-Match is not atomic)`
    : null;
}

/**
 * One harmless write, to find out before the run reads anything whether the lake is writable. A write that fails its
 * condition proves that too: the store has already checked our permission.
 */
export async function touchStore(store: Store, writeId: () => string, signal?: AbortSignal): Promise<void> {
  const found = await store.read(probeKey, signal);
  const condition = found === null ? { ifAbsent: true as const } : { ifMatch: found.etag };
  await putProbe(store, condition, false, writeId(), signal);
}

function putProbe(
  store: Store,
  condition: WriteCondition,
  multipart: boolean,
  writeId: string,
  signal?: AbortSignal,
): Promise<PutOutcome> {
  const body = { bytes: Buffer.from(`${JSON.stringify({ write_id: writeId })}\n`) };
  return store.put(
    { key: probeKey, body, condition, writeId, metadata: {}, contentType: 'application/json', multipart },
    signal,
  );
}

/** An ETag of the same form that no object has. */
function otherEtag(etag: string): string {
  return etag.replace(/[0-9a-f]/gi, (digit) => (digit === '0' ? '1' : '0'));
}

/** The error for an unsafe store. */
export function unsafeStoreError(url: string, complaint: string): LakeError {
  return new LakeError(
    `The store of ${url} does not support conditional writes correctly: ${complaint}`,
    'Two runs at the same time could lose rows there. Use a store that supports If-Match and If-None-Match ' +
      '(Amazon S3 does), or set --allow-unsafe-store and make sure that only one run works at a time.',
  );
}
