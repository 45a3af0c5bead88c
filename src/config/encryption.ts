/** How S3 encrypts what is written, where that differs from the bucket's default. */
import { UsageError } from '../shared/errors.ts';

/** As S3's header and the AWS CLI's `--sse` name them (docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html). */
export const serverSideEncryptions = ['AES256', 'aws:kms', 'aws:kms:dsse'] as const;
export type ServerSideEncryption = (typeof serverSideEncryptions)[number];

export interface Encryption {
  /** Null: `aws:kms` if a key is given; otherwise no header is sent and the bucket's default applies. */
  readonly sse: ServerSideEncryption | null;
  /** Null: `aws:kms` uses the account's AWS managed key for S3. */
  readonly kmsKeyId: string | null;
  /** Null: the bucket's default applies. */
  readonly bucketKeyEnabled: boolean | null;
}

/** Fields of a PutObject or CreateMultipartUpload request; UploadPart needs none of its own. */
export function encryptionMembers({ sse, kmsKeyId, bucketKeyEnabled }: Encryption) {
  const ServerSideEncryption = sse ?? (kmsKeyId === null ? null : 'aws:kms');
  return {
    ...(ServerSideEncryption === null ? {} : { ServerSideEncryption }),
    ...(kmsKeyId === null ? {} : { SSEKMSKeyId: kmsKeyId }),
    ...(bucketKeyEnabled === null ? {} : { BucketKeyEnabled: bucketKeyEnabled }),
  };
}

/**
 * @param Class the error to throw: ConfigError when the contradiction is in the configuration file
 * @throws an error of that class when the three options contradict each other
 */
export function refuseContradictoryEncryption(
  { sse, kmsKeyId, bucketKeyEnabled }: Encryption,
  Class: new (what: string, advice: string) => Error = UsageError,
): void {
  if (sse === 'AES256' && kmsKeyId !== null) {
    throw new Class(
      '--sse AES256 and --kms-key-id cannot be used together: AES256 uses keys that S3 manages',
      'Remove --kms-key-id, or use --sse aws:kms.',
    );
  }
  // docs.aws.amazon.com/AmazonS3/latest/userguide/UsingDSSEncryption.html: no Bucket Keys for DSSE-KMS. Without --sse
  // the bucket's default may be aws:kms, so that case is allowed.
  if (bucketKeyEnabled !== null && (sse === 'AES256' || sse === 'aws:kms:dsse')) {
    throw new Class(
      `--sse ${sse} and --bucket-key-enabled cannot be used together: only aws:kms uses bucket keys`,
      'Remove --bucket-key-enabled, or use --sse aws:kms.',
    );
  }
}
