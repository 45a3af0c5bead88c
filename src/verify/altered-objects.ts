/** Objects that say themselves that somebody altered them: their SHA-256 is not the one that was stored with them. */
import { hash } from 'node:crypto';
import type { Store } from '../lake/stores/store.ts';
import { storeWith } from '../lake/stores/store-with.ts';
import { AlteredObjectError } from '../shared/errors.ts';

/**
 * The same store, for which such an object is read as an empty one, and no error. So it becomes a finding, as any other
 * content would that the program did not write, and the look goes on.
 */
export function emptyWhereAltered(store: Store): Store {
  return storeWith(store, {
    read: (key, signal) =>
      store.read(key, signal).catch((error: unknown) => {
        if (error instanceof AlteredObjectError) {
          return { etag: error.etag ?? '', size: 0, bytes: new Uint8Array() };
        }
        throw error;
      }),
  });
}

const ofNothing = hash('sha256', '');

/** What a finding says about the bytes of an object. An altered one was read as an empty one: its true SHA-256 is not known. */
export function bytesText(sha256: string): string {
  return sha256 === ofNothing
    ? 'it is empty, or its bytes are not those that were stored with its SHA-256'
    : `its SHA-256 is ${sha256}`;
}
