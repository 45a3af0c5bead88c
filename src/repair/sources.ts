/** Where a lost content may still be: the bucket's versions, a backup of the lake, and the witness for checkpoints. */
import type { Store } from '../lake/stores/store.ts';

/** A content that was found. */
export interface FoundContent {
  readonly bytes: Uint8Array;
  /** For people: `version 3sL4… of 2026-11-20T02:14:00Z`. */
  readonly from: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string;
}

export interface Wanted {
  readonly key: string;
  /** Null: any content that `accepts`. */
  readonly sha256: string | null;
  readonly accepts: (bytes: Uint8Array) => boolean;
  /** Of an object that is written once, the oldest content is what the program wrote. */
  readonly oldestFirst: boolean;
}

export interface ContentSource {
  /** The newest content that fits; null: it has none. @throws LakeError when it cannot be read */
  find(wanted: Wanted, signal: AbortSignal): Promise<FoundContent | null>;
}

/** A copy of the lake, or of its checkpoints: it has one content of each key. */
export function copySource(
  store: Pick<Store, 'read' | 'url'>,
  name: string,
  holds: (key: string) => boolean = () => true,
): ContentSource {
  return {
    async find({ key, accepts }, signal) {
      const found = holds(key) ? await store.read(key, signal) : null;
      if (found === null || !accepts(found.bytes)) return null;
      return {
        bytes: found.bytes,
        from: `${name} ${store.url}`,
        metadata: {},
        contentType: key.endsWith('.json') ? 'application/json' : 'application/octet-stream',
      };
    },
  };
}
