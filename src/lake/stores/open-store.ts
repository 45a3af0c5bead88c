/** Opens the store of a lake: a local folder or S3. */
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Logger } from 'pino';
import type { Encryption } from '../../config/encryption.ts';
import type { LakeLocation } from '../../config/typed-values.ts';
import { openLocalStore } from './local.ts';
import type { S3StoreOptions } from './s3.ts';
import type { Store } from './store.ts';

export interface OpenStoreOptions extends Partial<Encryption> {
  /** False for reading only: nothing is created, and a missing lake counts as empty. */
  readonly create: boolean;
  /** For messages: the option that names the location. Default: --lake. */
  readonly option?: string;
  /** This and all below apply only to S3. Null: from the environment or the shared configuration, or AWS's own. */
  readonly endpointUrl: string | null;
  readonly expectedBucketOwner: string | null;
  /** Default: the SDK's chain. */
  readonly credentials?: AwsCredentialIdentityProvider;
  readonly region?: string;
  readonly requestHandler?: NonNullable<S3StoreOptions['requestHandler']>;
  readonly multipartBytes?: number;
  readonly log: Pick<Logger, 'debug' | 'warn'>;
}

/** @throws LakeError when the folder cannot be opened. S3 gets its first request only when the store is used */
export async function openStore(location: LakeLocation, options: OpenStoreOptions): Promise<Store> {
  if (location.kind === 'local') {
    const { create, option } = options;
    return await openLocalStore({
      folder: location.folder,
      create,
      ...(option === undefined ? {} : { option }),
    });
  }
  const { create: _, ...rest } = options;
  // The SDK's client of S3 takes 0.1 s to load.
  const { openS3Store } = await import('./s3.ts');
  return openS3Store({ bucket: location.bucket, prefix: location.prefix, ...rest });
}
