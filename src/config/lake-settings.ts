/** The settings that every job with a lake has: where the lake is, and how to reach it. */
import { join } from 'node:path';
import type { OptionReader } from './layers.ts';
import type { LakeLocation } from './typed-values.ts';

export interface LakeSettings {
  readonly lake: LakeLocation;
  readonly lakeRoleArn: string | null;
  readonly roleSessionName: string;
  readonly externalId: string | null;
  readonly expectedBucketOwner: string | null;
  readonly endpointUrl: string | null;
  readonly s3EndpointUrl: string | null;
  readonly scratch: string;
}

/** @param temporaryFolder the system's folder for temporary files */
export function readLakeSettings(
  { optional, required }: OptionReader,
  temporaryFolder: string,
): LakeSettings {
  return {
    lake: required('lake'),
    lakeRoleArn: optional('lake-role-arn'),
    roleSessionName: required('role-session-name'),
    externalId: optional('external-id'),
    expectedBucketOwner: optional('expected-bucket-owner'),
    endpointUrl: optional('endpoint-url'),
    s3EndpointUrl: optional('s3-endpoint-url'),
    scratch: optional('scratch') ?? defaultScratch(temporaryFolder),
  };
}

/** One folder per user, because another user's folder is not writable. */
function defaultScratch(temporaryFolder: string): string {
  return join(temporaryFolder, `backup-copy-export-${process.getuid?.() ?? 'user'}`);
}
