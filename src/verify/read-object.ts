/** Fetches an object of the lake for inspection: its bytes as a file, and what they are. */
import { randomUUID } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { footerOf, type OpenPart, openPart } from '../lake/engines/part-reader.ts';
import type { Scratch } from '../lake/scratch.ts';
import { sha256Of } from '../lake/scratch-file.ts';
import { isOfOneObject } from '../lake/stores/s3-errors.ts';
import type { Store } from '../lake/stores/store.ts';
import { AlteredObjectError, EngineError, LakeError, LinkError } from '../shared/errors.ts';
import type { FoundObject } from './explain.ts';

export interface FetchedObject {
  readonly found: FoundObject;
  /** Null: it is not a complete Parquet file. */
  readonly part: OpenPart | null;
  /** Removes the file. */
  release(): Promise<void>;
}

/** `gone`: there is no such object. `unread`: the store refuses it, and somebody has been told. `link`: it is a symbolic link, and this says where. */
export type Fetched =
  | { readonly state: 'there'; readonly object: FetchedObject }
  | { readonly state: 'gone' | 'unread' }
  | { readonly state: 'link'; readonly what: string };

export interface ObjectSource {
  readonly store: Pick<Store, 'download'>;
  readonly scratch: Pick<Scratch, 'reserve'>;
  /** An existing folder in scratch. */
  readonly folder: string;
  /** Told of an object that the store refuses, while it may give others. Null: that is an error. */
  readonly onUnread: OnUnread | null;
  readonly signal: AbortSignal;
}

export type OnUnread = (key: string, error: LakeError) => void;

/** @throws LakeError when the object cannot be read; ScratchError when it does not fit into scratch */
export async function fetchObject(
  { store, scratch, folder, onUnread, signal }: ObjectSource,
  key: string,
): Promise<Fetched> {
  const file = join(folder, `${randomUUID()}.parquet`);
  const remove = () => rm(file, { force: true });
  try {
    const download = await store.download(key, file, signal).catch((error: unknown) => {
      if (error instanceof AlteredObjectError) return 'altered' as const;
      throw error;
    });
    if (download === null) return { state: 'gone' };
    const bytes = (await stat(file)).size;
    const giveBack = scratch.reserve(bytes);
    const sha256 = download === 'altered' ? await sha256Of(file) : download.sha256;
    const part = await openPart(file).catch((error: unknown) => {
      if (error instanceof EngineError) return null;
      throw error;
    });
    const isAltered = download === 'altered';
    const etag = download === 'altered' ? '' : download.etag;
    const footer = part === null ? null : footerOf(part);
    return {
      state: 'there',
      object: {
        found: { key, bytes, sha256, etag, footer, isAltered },
        part,
        release: async () => {
          giveBack();
          await remove();
        },
      },
    };
  } catch (error) {
    await remove();
    if (error instanceof LinkError) return { state: 'link', what: linkText(error) };
    if (onUnread === null || !(error instanceof LakeError) || !isOfOneObject(error.cause)) throw error;
    onUnread(key, error);
    return { state: 'unread' };
  }
}

/** The first sentence of the error: where the link is and where it leads. */
export function linkText(error: LinkError): string {
  return error.message.slice(0, -`. ${error.advice}`.length);
}
