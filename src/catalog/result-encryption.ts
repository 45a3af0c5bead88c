/** How Athena encrypts what it puts out: it has words of its own for what S3 calls by others. */

import { type Encryption, refuseContradictoryEncryption } from '../config/encryption.ts';
import { UsageError } from '../shared/errors.ts';

/** docs.aws.amazon.com/athena/latest/APIReference/API_EncryptionConfiguration.html */
export type ResultEncryption =
  | { readonly EncryptionOption: 'SSE_S3' }
  | { readonly EncryptionOption: 'SSE_KMS'; readonly KmsKey: string };

/** @throws UsageError for what Athena does not have */
export function resultEncryption({
  sse,
  kmsKeyId,
}: Pick<Encryption, 'sse' | 'kmsKeyId'>): ResultEncryption | null {
  refuseContradictoryEncryption({ sse, kmsKeyId, bucketKeyEnabled: null });
  if (sse === 'aws:kms:dsse') {
    throw new UsageError(
      'Athena does not encrypt what it puts out with aws:kms:dsse',
      'Write --sse aws:kms or AES256.',
    );
  }
  if (sse === 'AES256') return { EncryptionOption: 'SSE_S3' };
  if (kmsKeyId !== null) return { EncryptionOption: 'SSE_KMS', KmsKey: kmsKeyId };
  if (sse === null) return null;
  throw new UsageError('With --sse aws:kms, Athena has to be told the key', 'Give --kms-key-id.');
}
