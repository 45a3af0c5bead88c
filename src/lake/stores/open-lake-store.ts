/** Opens the store of a lake with the role that its settings name. Every job that opens a lake comes through here. */
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Aws } from '../../aws/aws.ts';
import type { Encryption } from '../../config/encryption.ts';
import type { LakeSettings } from '../../config/lake-settings.ts';
import { identifyCaller } from '../../targets/caller.ts';
import { assumedRole } from '../../targets/credentials.ts';
import { type OpenStoreOptions, openStore } from './open-store.ts';
import type { Store } from './store.ts';

/** The settings that decide how a lake is opened. */
export type LakeAccess = Omit<LakeSettings, 'endpointUrl' | 'scratch'> & Partial<Encryption>;

/** The caller's own credentials, and the region in which STS identified them. */
interface CallerCredentials {
  readonly credentials: AwsCredentialIdentityProvider;
  readonly region: string;
}

export interface OpenLakeStoreOptions extends Pick<OpenStoreOptions, 'create' | 'log'> {
  /** Called only if a role has to be assumed. */
  readonly aws: () => Aws;
  /** If it is known already; otherwise STS is asked, but only if a role has to be assumed. */
  readonly caller?: CallerCredentials;
  readonly signal: AbortSignal;
}

/** @throws LakeError, or AccessError and UnavailableError when the caller cannot be identified */
export async function openLakeStore(access: LakeAccess, options: OpenLakeStoreOptions): Promise<Store> {
  const { sse, kmsKeyId, bucketKeyEnabled } = access;
  const credentials = await lakeCredentials(access, options);
  return await openStore(access.lake, {
    create: options.create,
    endpointUrl: access.s3EndpointUrl,
    expectedBucketOwner: access.expectedBucketOwner,
    log: options.log,
    ...(sse === undefined ? {} : { sse }),
    ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
    ...(bucketKeyEnabled === undefined ? {} : { bucketKeyEnabled }),
    ...(credentials === undefined ? {} : { credentials }),
  });
}

/** Undefined: the SDK's own chain of credentials. */
export async function lakeCredentials(
  { lakeRoleArn: roleArn, roleSessionName: sessionName, externalId }: LakeAccess,
  { aws: getAws, caller, signal }: Pick<OpenLakeStoreOptions, 'aws' | 'caller' | 'signal'>,
): Promise<AwsCredentialIdentityProvider | undefined> {
  if (roleArn === null) return caller?.credentials;
  const aws = getAws();
  const { credentials, region } = caller ?? (await identifyCaller(aws, { signal }));
  return assumedRole(aws, credentials, region, { roleArn, sessionName, externalId });
}
