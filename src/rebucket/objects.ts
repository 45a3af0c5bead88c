/** How `rebucket` writes and removes objects. It has a person's rights. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '../lake/stores/store.ts';
import { LakeError } from '../shared/errors.ts';

export interface Objects {
  readonly store: Store;
  /** Removes an object, or does nothing if it is not there. */
  readonly remove: (key: string) => Promise<void>;
  readonly scratchFolder: string;
  readonly signal: AbortSignal;
}

export interface Replaced {
  readonly etag: string;
}

const attempts = 5;
const parquet = 'application/vnd.apache.parquet';

/**
 * Writes a file under a key, whatever is there or only what is expected.
 * @param expected the SHA-256 of contents that may be replaced; null: any
 * @throws LakeError when something else is there
 */
export async function writeFileTo(
  { store, scratchFolder, signal }: Objects,
  key: string,
  { file, sha256 }: { readonly file: () => Promise<string>; readonly sha256: string },
  expected: ReadonlySet<string> | null,
  metadata: Readonly<Record<string, string>>,
): Promise<Replaced> {
  const copy = join(scratchFolder, `${randomUUID()}.present`);
  try {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const present = await store.download(key, copy, signal);
      if (present?.sha256 === sha256) return { etag: present.etag };
      if (present !== null && expected !== null && !expected.has(present.sha256)) {
        throw changedMeanwhile(store.url, key, present.sha256);
      }
      const put = await store.put(
        {
          key,
          body: { file: await file() },
          condition: present === null ? { ifAbsent: true } : { ifMatch: present.etag },
          writeId: randomUUID(),
          metadata: { ...metadata, sha256 },
          contentType: parquet,
        },
        signal,
      );
      if (put.written) return { etag: put.etag };
    }
    throw new LakeError(
      `${key} in ${store.url} was replaced by others ${attempts} times`,
      'Stop whatever writes to this lake, then run rebucket again.',
    );
  } finally {
    await rm(copy, { force: true });
  }
}

export function changedMeanwhile(url: string, key: string, sha256: string): LakeError {
  return new LakeError(
    `${key} in ${url} was changed while rebucket was at work: its SHA-256 is ${sha256}`,
    'Stop whatever writes to this lake. The rows that rebucket read are whole below _ledger/rebucket/. If the change is a mistake, restore the earlier version of the object, then run rebucket again.',
  );
}

/** Writes a record, unless it is there already. */
export async function writeRecordTo(
  { store, signal }: Objects,
  key: string,
  content: unknown,
): Promise<void> {
  await store.put(
    {
      key,
      body: { bytes: Buffer.from(`${JSON.stringify(content)}\n`) },
      condition: { ifAbsent: true },
      writeId: randomUUID(),
      metadata: {},
      contentType: 'application/json',
    },
    signal,
  );
}
