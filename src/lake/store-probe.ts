/**
 * Does a store keep the promises that no-loss rests on? Some S3-compatible servers accept the conditions of
 * a write and ignore them. Each question is asked of one object that holds nothing of worth.
 */
import { LakeError } from '../shared/errors.ts';
import { probeKey } from './layout.ts';
import type { PutOutcome, Store, WriteCondition } from './stores/store.ts';

/**
 * `complaint`: what the store did that it must not do. `inParts`: whether it keeps its promises for multipart uploads
 * too; where it does not, a lake is as safe there as anywhere, as long as nothing is sent in parts.
 */
export type ProbeOutcome =
  | { readonly safe: true; readonly inParts: boolean }
  | { readonly safe: false; readonly complaint: string };

/** Several replacements of one state at once: only one may win. Few, for a probe is no benchmark. */
const contenders = 4;

/**
 * Writes to the lake. Other programs may probe at the same time: every answer is judged so that their
 * writes cannot make a safe store look unsafe.
 * @param writeId returns a new id at each call
 * @throws LakeError when the store cannot be read or written at all
 */
export async function probeStore(
  store: Store,
  writeId: () => string,
  signal?: AbortSignal,
): Promise<ProbeOutcome> {
  await touchStore(store, writeId, signal);
  const complaintOf = (inParts: boolean) => {
    const put = (condition: WriteCondition) => putProbe(store, condition, inParts, writeId(), signal);
    return complaintAbout(store, put, signal);
  };
  const complaint = await complaintOf(false);
  if (complaint !== null) return { safe: false, complaint };
  return { safe: true, inParts: (await complaintOf(true)) === null };
}

/** A store that sends everything in one piece: S3 takes up to 5 GiB so. */
export function withoutMultipart(store: Store): Store {
  return {
    url: store.url,
    download: (key, file, signal) => store.download(key, file, signal),
    read: (key, signal) => store.read(key, signal),
    put: (request, signal) => store.put({ ...request, inParts: false }, signal),
    list: (prefix, options, signal) => store.list(prefix, options, signal),
    close: () => store.close(),
  };
}

/** What the store does that it must not do; null: nothing that we could find. The probe's object is there. */
async function complaintAbout(
  store: Store,
  put: (condition: WriteCondition) => Promise<PutOutcome>,
  signal?: AbortSignal,
): Promise<string | null> {
  if ((await put({ ifAbsent: true })).written) {
    return 'it created an object that was already there (If-None-Match: * was ignored)';
  }
  const found = await store.read(probeKey, signal);
  if (found === null) return 'an object that was just written is not there';
  if ((await put({ ifMatch: otherEtag(found.etag) })).written) {
    return 'it replaced an object of another ETag (If-Match was ignored)';
  }
  const outcomes = await Promise.all(Array.from({ length: contenders }, () => put({ ifMatch: found.etag })));
  const winners = outcomes.filter(({ written }) => written).length;
  return winners > 1
    ? `${winners} writers at once replaced one and the same object (If-Match is not atomic)`
    : null;
}

/**
 * One harmless write: a lake that cannot be written is better known before anything is drained. A write that is
 * refused for its condition is as good: the store looked at it with our permission to write.
 */
export async function touchStore(store: Store, writeId: () => string, signal?: AbortSignal): Promise<void> {
  const found = await store.read(probeKey, signal);
  const condition = found === null ? { ifAbsent: true as const } : { ifMatch: found.etag };
  await putProbe(store, condition, false, writeId(), signal);
}

function putProbe(
  store: Store,
  condition: WriteCondition,
  inParts: boolean,
  writeId: string,
  signal?: AbortSignal,
): Promise<PutOutcome> {
  const body = { bytes: Buffer.from(`${JSON.stringify({ write_id: writeId })}\n`) };
  return store.put(
    { key: probeKey, body, condition, writeId, metadata: {}, contentType: 'application/json', inParts },
    signal,
  );
}

/** An ETag of the same form that no object has. */
function otherEtag(etag: string): string {
  return etag.replace(/[0-9a-f]/gi, (digit) => (digit === '0' ? '1' : '0'));
}

/** What a person is told whose store is not safe. */
export function unsafeStoreError(url: string, complaint: string): LakeError {
  return new LakeError(
    `The store of ${url} does not keep the promises of conditional writes: ${complaint}`,
    'Two runs at once could lose rows there. Use a store that honours If-Match and If-None-Match ' +
      '(Amazon S3 does), or insist with --allow-unsafe-store and make sure that only one run works at a time.',
  );
}
