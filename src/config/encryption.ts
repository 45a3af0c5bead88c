/** How S3 is to encrypt what is written, beyond what the bucket does by itself. */
import { UsageError } from '../shared/errors.ts';

/** As S3's header and the AWS CLI's `--sse` name them (docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html). */
export const serverSideEncryptions = ['AES256', 'aws:kms', 'aws:kms:dsse'] as const;
export type ServerSideEncryption = (typeof serverSideEncryptions)[number];

export interface Encryption {
  /** Null: `aws:kms` where a key is named, else as the bucket's default says; no header is sent then. */
  readonly sse: ServerSideEncryption | null;
  /** Null: with `aws:kms`, the account's AWS managed key for S3. */
  readonly kmsKeyId: string | null;
  /** Null: as the bucket's default says. */
  readonly bucketKeyEnabled: boolean | null;
}

/** The members of a PutObject or CreateMultipartUpload request; the parts of an upload follow the latter. */
export function encryptionMembers({ sse, kmsKeyId, bucketKeyEnabled }: Encryption) {
  const ServerSideEncryption = sse ?? (kmsKeyId === null ? null : 'aws:kms');
  return {
    ...(ServerSideEncryption === null ? {} : { ServerSideEncryption }),
    ...(kmsKeyId === null ? {} : { SSEKMSKeyId: kmsKeyId }),
    ...(bucketKeyEnabled === null ? {} : { BucketKeyEnabled: bucketKeyEnabled }),
  };
}

/**
 * @param Class of the error: where the contradiction was written
 * @throws an error of that class when the three do not go together
 */
export function refuseContradictoryEncryption(
  { sse, kmsKeyId, bucketKeyEnabled }: Encryption,
  Class: new (what: string, advice: string) => Error = UsageError,
): void {
  if (sse === 'AES256' && kmsKeyId !== null) {
    throw new Class(
      '--sse AES256 and --kms-key-id exclude each other: with AES256, S3 encrypts with keys of its own',
      'Leave --kms-key-id out, or write --sse aws:kms.',
    );
  }
  // docs.aws.amazon.com/AmazonS3/latest/userguide/UsingDSSEncryption.html: no Bucket Keys for DSSE-KMS. Where nothing
  // is said, the bucket's default may be aws:kms.
  if (bucketKeyEnabled !== null && (sse === 'AES256' || sse === 'aws:kms:dsse')) {
    throw new Class(
      `--sse ${sse} and --bucket-key-enabled exclude each other: bucket keys are for aws:kms`,
      'Leave --bucket-key-enabled out, or write --sse aws:kms.',
    );
  }
}
