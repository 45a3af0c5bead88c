/** A store in front of another one. */
import type { Store } from './store.ts';

/** The same store, but for some methods. Whatever is not named is asked of the store itself, its clock included. */
export function storeWith(store: Store, own: Partial<Store>): Store {
  return {
    url: store.url,
    download: (key, file, signal) => store.download(key, file, signal),
    read: (key, signal) => store.read(key, signal),
    head: (key, signal) => store.head(key, signal),
    put: (request, signal) => store.put(request, signal),
    list: (prefix, options, signal) => store.list(prefix, options, signal),
    lastSeen: () => store.lastSeen?.() ?? null,
    close: () => store.close(),
    ...own,
  };
}
