/**
 * The witness: a second place, where the exporter may write and the lake's owner may not. Each checkpoint is copied there
 * once, under the same key as in the lake. The exporter needs s3:PutObject there and nothing else.
 */
import { randomUUID } from 'node:crypto';
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Logger } from 'pino';
import type { LakeLocation } from '../config/typed-values.ts';
import { checkpointKey } from '../lake/layout.ts';
import { openLocalStore } from '../lake/stores/local.ts';
import { connectS3 } from '../lake/stores/s3-client.ts';
import { isConflict, s3Error, statusOf } from '../lake/stores/s3-errors.ts';
import { upload } from '../lake/stores/s3-upload.ts';
import type { Store } from '../lake/stores/store.ts';
import { readCheckpoint } from './chain.ts';
import type { StoredCheckpoint } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';

export interface Witness {
  readonly url: string;
  /** False: there is an object of that name already. Nobody can replace it. */
  putOnce(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

export interface WitnessOptions {
  readonly s3EndpointUrl: string | null;
  readonly credentials?: AwsCredentialIdentityProvider;
  readonly log: Pick<Logger, 'debug' | 'warn'>;
}

const contentType = 'application/json';

/** @throws LakeError when a local folder cannot be opened */
export async function openWitness(location: LakeLocation, options: WitnessOptions): Promise<Witness> {
  return location.kind === 'local' ? await localWitness(location.folder) : s3Witness(location, options);
}

async function localWitness(folder: string): Promise<Witness> {
  const store = await openLocalStore({ folder, create: true, option: '--witness' });
  return {
    url: store.url,
    async putOnce(key, bytes, signal) {
      const condition = { ifAbsent: true } as const;
      const request = { key, body: { bytes }, condition, writeId: randomUUID(), metadata: {}, contentType };
      return (await store.put(request, signal)).written;
    },
    close: () => store.close(),
  };
}

/** Not a Store: after a conflict, a store looks at the object, and the exporter may not read here. */
function s3Witness(
  { bucket, prefix }: Extract<LakeLocation, { readonly kind: 's3' }>,
  { s3EndpointUrl, credentials, log }: WitnessOptions,
): Witness {
  const s3 = connectS3({
    bucket,
    endpointUrl: s3EndpointUrl,
    expectedBucketOwner: null,
    ...(credentials === undefined ? {} : { credentials }),
    log,
  });
  const url = `s3://${bucket}/${prefix}`.replace(/\/$/, '');
  return {
    url,
    async putOnce(key, bytes, signal) {
      const request = {
        target: { Bucket: bucket, Key: `${prefix}${prefix === '' || prefix.endsWith('/') ? '' : '/'}${key}` },
        body: { bytes },
        condition: { ifAbsent: true },
        contentType,
        metadata: {},
        encryption: { sse: null, kmsKeyId: null, bucketKeyEnabled: null },
        multipartBytes: Number.POSITIVE_INFINITY,
        onDecisive: () => undefined,
      } as const;
      try {
        await upload(s3, request, signal);
        return true;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (isConflict(error) && statusOf(error) !== 404) return false;
        throw s3Error(error, {
          done: 'written',
          url: `${url}/${key}`,
          bucket,
          kmsKeyId: null,
          expectedBucketOwner: null,
          option: '--witness',
        });
      }
    },
    close: async () => s3.close(),
  };
}

/** How many checkpoints a run copies that earlier runs could not. */
const mostCaughtUp = 1000;

/**
 * Copies the run's checkpoint, then those before it that are not there yet, because the witness could not be reached or was
 * named only now.
 * @throws CheckpointError when the witness has another checkpoint of this number; LakeError when it cannot be written
 */
export async function copyToWitness(
  witness: Witness,
  store: Store,
  newest: StoredCheckpoint,
  signal: AbortSignal,
): Promise<void> {
  const { number } = newest.checkpoint;
  if (!(await witness.putOnce(newest.key, newest.bytes, signal))) await keepBeside(witness, newest, signal);
  for (let earlier = number - 1; earlier >= Math.max(1, number - mostCaughtUp); earlier -= 1) {
    const { bytes } = await readCheckpoint(store, earlier, signal);
    if (!(await witness.putOnce(checkpointKey(earlier), bytes, signal))) return;
  }
}

/** The number is new to the lake. If the witness knows it, the lake was rolled back, or two lakes share the witness. */
async function keepBeside(witness: Witness, newest: StoredCheckpoint, signal: AbortSignal): Promise<never> {
  const { number } = newest.checkpoint;
  await witness.putOnce(newest.key.replace(/\.json$/, `.${newest.sha256}.json`), newest.bytes, signal);
  throw new CheckpointError(
    `The witness ${witness.url} already has a checkpoint ${number}, but this run has just written the first one of that number to the lake`,
    'The lake was rolled back or its newest checkpoint removed, or another lake uses the same witness; or the network lost the answer to the copy. Run verify with --public-key and --witness: it tells which.',
  );
}
