import { sha256Of } from './scratch-file.ts';
import type { Store } from './stores/store.ts';

/** The object's ETag now; null: there is no such object. @throws LakeError; ScratchError; the signal's reason */
export async function currentEtag(
  store: Pick<Store, 'head'>,
  key: string,
  signal?: AbortSignal,
): Promise<string | null> {
  const head = await store.head(key, signal);
  // In a folder, the ETag is the content's SHA-256.
  if (head === null || head.etag !== null || head.file === null) return head?.etag ?? null;
  return await sha256Of(head.file);
}
