/** A store that can be told to another process: as JSON in its arguments. */
import pino from 'pino';
import { openLocalStore } from '../../../src/lake/stores/local.ts';
import type { PutRequest, Store } from '../../../src/lake/stores/store.ts';

export type StoreDescription =
  | { readonly kind: 'local'; readonly folder: string }
  | {
      readonly kind: 's3';
      readonly endpoint: string;
      readonly bucket: string;
      readonly prefix: string;
      readonly region: string;
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
    };

/** Multipart from 5 MiB on, so that a test can afford it. */
export async function openDescribed(described: StoreDescription): Promise<Store> {
  if (described.kind === 'local') return await openLocalStore({ folder: described.folder, create: true });
  const { endpoint, bucket, prefix, region, accessKeyId, secretAccessKey } = described;
  // Loaded here, because a process that writes to a folder would take most of its time to load it.
  const { openS3Store } = await import('../../../src/lake/stores/s3.ts');
  return openS3Store({
    bucket,
    prefix,
    endpointUrl: endpoint,
    region,
    kmsKeyId: null,
    expectedBucketOwner: null,
    credentials: async () => ({ accessKeyId, secretAccessKey }),
    multipartBytes: 5 * 1024 * 1024,
    log: pino({ level: 'silent' }),
  });
}

let writes = 0;

/** A write of a small text, or of a file, with what tests do not care about filled in. */
export function writeOf(
  key: string,
  body: string | Uint8Array | { readonly file: string },
  condition: PutRequest['condition'],
): PutRequest {
  writes += 1;
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return {
    key,
    body: bytes instanceof Uint8Array ? { bytes } : bytes,
    condition,
    writeId: `write-${process.pid}-${writes}-${Math.random()}`,
    metadata: { 'run-id': 'test' },
    contentType: 'application/octet-stream',
  };
}
