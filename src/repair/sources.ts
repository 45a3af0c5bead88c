/** Where a lost content may still be: the bucket's versions, a backup of the lake, and the witness for checkpoints. */
import { systemCode } from '../lake/stores/durable-files.ts';
import { isOfOneObject } from '../lake/stores/s3-errors.ts';
import type { Store } from '../lake/stores/store.ts';
import { AlteredObjectError, LakeError, LinkError } from '../shared/errors.ts';

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

/** A content that may be the wanted one, and that cannot be read. */
export interface UnreadContent {
  /** For people, like `FoundContent.from`. */
  readonly from: string;
  /** What happened and what a person can do: sentences, without the last full stop. */
  readonly why: string;
}

export interface Search {
  /** The newest content that fits; null: none of those that can be read does. */
  readonly found: FoundContent | null;
  readonly unread: readonly UnreadContent[];
}

export interface ContentSource {
  /** @throws LakeError when nothing of it can be read */
  find(wanted: Wanted, signal: AbortSignal): Promise<Search>;
}

/** @throws the error, if it concerns more than this content */
export function unreadContent(from: string, error: unknown): UnreadContent {
  if (!(error instanceof LakeError) || !concernsOneObject(error)) throw error;
  return { from, why: error.message.replace(/\.$/, '') };
}

const codesOfOneFile: ReadonlySet<string | null> = new Set(['EACCES', 'EPERM', 'EIO']);

function concernsOneObject(error: LakeError): boolean {
  if (error instanceof AlteredObjectError || error instanceof LinkError) return true;
  return isOfOneObject(error.cause) || codesOfOneFile.has(systemCode(error.cause));
}

const nothingFound: Search = { found: null, unread: [] };

/** A copy of the lake, or of its checkpoints: it has one content of each key. */
export function copySource(
  store: Pick<Store, 'read' | 'url'>,
  name: string,
  holds: (key: string) => boolean = () => true,
): ContentSource {
  return {
    async find({ key, accepts }, signal) {
      if (!holds(key)) return nothingFound;
      const from = `${name} ${store.url}`;
      try {
        const read = await store.read(key, signal);
        if (read === null || !accepts(read.bytes)) return nothingFound;
        const contentType = key.endsWith('.json') ? 'application/json' : 'application/octet-stream';
        return { found: { bytes: read.bytes, from, metadata: {}, contentType }, unread: [] };
      } catch (error) {
        return { found: null, unread: [unreadContent(from, error)] };
      }
    },
  };
}
