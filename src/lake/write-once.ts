/** Objects of a run's own: under a name that holds its id, written once and never again. */
import { randomUUID } from 'node:crypto';
import { LakeError } from '../shared/errors.ts';
import type { Body, Store } from './stores/store.ts';

export interface OnceRequest {
  readonly key: string;
  readonly body: Body;
  readonly runId: string;
  readonly contentType: string;
}

/** @throws LakeError when it cannot be written, or is there already */
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
      `${key} in ${store.url} is already there, though its name holds this run's own id`,
      'Look at who else writes into this lake: run ids are never used twice.',
    );
  }
}
