/** Writes an object whose name contains the run's id. It is written once and never replaced. */
import { randomUUID } from 'node:crypto';
import { LakeError } from '../shared/errors.ts';
import type { Body, Store } from './stores/store.ts';

export interface OnceRequest {
  readonly key: string;
  readonly body: Body;
  readonly runId: string;
  readonly contentType: string;
}

/** How often a store may say that an object exists that it does not have. */
const attempts = 5;

/** @throws LakeError when it cannot be written, or already exists */
export async function writeOnce(store: Store, request: OnceRequest, signal?: AbortSignal): Promise<void> {
  const { key, body, runId, contentType } = request;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const put = await store.put(
      {
        key,
        body,
        condition: { ifAbsent: true },
        writeId: randomUUID(),
        metadata: { 'run-id': runId },
        contentType,
      },
      signal,
    );
    if (put.written) return;
    // The condition failed. If there is no object all the same, the answer was wrong or is out of date.
    if ((await store.read(key, signal)) !== null) {
      throw new LakeError(
        `${key} in ${store.url} already exists, although its name contains this run's own id`,
        'Run ids are never used twice. Find out what else writes to this lake.',
      );
    }
  }
  throw new LakeError(
    `${key} could not be written to ${store.url}: ${attempts} times the store said that it exists, and it does not`,
    'Run it again later. If it keeps happening, check the store and what stands between this host and it.',
  );
}
