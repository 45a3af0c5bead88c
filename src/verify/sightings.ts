/**
 * What `verify` saw of each object that it read. Findings are about just that: whoever mends an object does so only if it is
 * still the same.
 */
import type { Store } from '../lake/stores/store.ts';
import { storeWith } from '../lake/stores/store-with.ts';
import { AlteredObjectError } from '../shared/errors.ts';

/**
 * `there`: it was read under this ETag. `absent`: it was asked for and was not there. `unread`: nobody asked for it, because it
 * was not listed, or because its name says enough. `changing`: two reads saw different objects, so it is unknown which of
 * them a finding is about.
 */
export type Sighting =
  | { readonly state: 'there'; readonly etag: string }
  | { readonly state: 'absent' | 'unread' | 'changing' };

/** Of one look. Holds an entry for each object that was read. */
export class Sightings {
  readonly #seen = new Map<string, Sighting>();

  of(key: string): Sighting {
    return this.#seen.get(key) ?? { state: 'unread' };
  }

  /** @param etag null: there was no such object */
  note(key: string, etag: string | null): void {
    const now: Sighting = etag === null ? { state: 'absent' } : { state: 'there', etag };
    const before = this.#seen.get(key);
    const isSame = before === undefined || etagOf(before) === etag;
    this.#seen.set(key, isSame ? now : { state: 'changing' });
  }
}

function etagOf(sighting: Sighting): string | null | undefined {
  if (sighting.state === 'there') return sighting.etag;
  return sighting.state === 'absent' ? null : undefined;
}

/** The same store; what is read from it is noted. */
export function watched(store: Store, sightings: Pick<Sightings, 'note'>): Store {
  async function noted<T extends { readonly etag: string }>(
    key: string,
    read: Promise<T | null>,
  ): Promise<T | null> {
    try {
      const found = await read;
      sightings.note(key, found?.etag ?? null);
      return found;
    } catch (error) {
      if (error instanceof AlteredObjectError && error.etag !== null) sightings.note(key, error.etag);
      throw error;
    }
  }
  return storeWith(store, {
    download: (key, file, signal) => noted(key, store.download(key, file, signal)),
    read: (key, signal) => noted(key, store.read(key, signal)),
  });
}
