/** Encryption of Athena's results, which Athena names differently from S3. */

import { type Encryption, refuseContradictoryEncryption } from '../config/encryption.ts';
import { UsageError } from '../shared/errors.ts';

/** docs.aws.amazon.com/athena/latest/APIReference/API_EncryptionConfiguration.html */
export type ResultEncryption =
  | { readonly EncryptionOption: 'SSE_S3' }
  | { readonly EncryptionOption: 'SSE_KMS'; readonly KmsKey: string };

/** @throws UsageError for encryption that Athena does not offer */
export function resultEncryption({
  sse,
  kmsKeyId,
}: Pick<Encryption, 'sse' | 'kmsKeyId'>): ResultEncryption | null {
  refuseContradictoryEncryption({ sse, kmsKeyId, bucketKeyEnabled: null });
  if (sse === 'aws:kms:dsse') {
    throw new UsageError(
      'Athena cannot encrypt its results with aws:kms:dsse',
      'Use --sse aws:kms or AES256.',
    );
  }
  if (sse === 'AES256') return { EncryptionOption: 'SSE_S3' };
  if (kmsKeyId !== null) return { EncryptionOption: 'SSE_KMS', KmsKey: kmsKeyId };
  if (sse === null) return null;
  throw new UsageError('With --sse aws:kms, Athena needs a key', 'Set --kms-key-id.');
}
