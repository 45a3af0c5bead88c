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

/** @throws LakeError when it cannot be written, or already exists */
export async function writeOnce(store: Store, request: OnceRequest, signal?: AbortSignal): Promise<void> {
  const { key, body, runId, contentType } = request;
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
  if (!put.written) {
    throw new LakeError(
      `${key} in ${store.url} already exists, although its name contains this run's own id`,
      'Run ids are never used twice. Find out what else writes to this lake.',
    );
  }
}
