/** A signing key in AWS KMS. Needs kms:GetPublicKey and kms:Sign on the key. The private key never leaves KMS. */
import { createPublicKey, hash } from 'node:crypto';
import { GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import type { ClientDefaults } from '../aws/aws.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { digests, type SigningKey, trustedKey } from './keys.ts';

/** KMS takes a longer message only as its digest: https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html */
const longestMessage = 4096;

/** @throws CheckpointError when KMS does not give the public key, or the key cannot sign checkpoints */
export async function openKmsKey(
  id: string,
  defaults: ClientDefaults,
  signal: AbortSignal,
): Promise<SigningKey> {
  const client = new KMSClient(defaults);
  const asked = async <T>(what: string, request: () => Promise<T>): Promise<T> => {
    try {
      return await request();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const cause = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      throw new CheckpointError(
        `KMS did not ${what} with the key ${id} (${cause})`,
        'Check --signing-key, that the key is enabled, and that the exporter may use kms:GetPublicKey and kms:Sign on it.',
        { cause: error },
      );
    }
  };
  const options = { abortSignal: signal };
  const answer = await asked('give the public key that belongs', () =>
    client.send(new GetPublicKeyCommand({ KeyId: id }), options),
  );
  const der = Buffer.from(answer.PublicKey ?? []);
  const trusted =
    answer.KeyUsage === 'SIGN_VERIFY' && der.length > 0
      ? trustedKey(createPublicKey({ key: der, format: 'der', type: 'spki' }))
      : null;
  if (trusted === null) {
    throw new CheckpointError(
      `The KMS key ${id} cannot sign checkpoints: its usage is ${answer.KeyUsage}, its kind ${answer.KeySpec}`,
      'Create a key with the usage SIGN_VERIFY and the kind ECC_NIST_P256, ECC_NIST_P384 or RSA_2048 to RSA_4096.',
    );
  }
  const { algorithm } = trusted;
  return {
    trusted,
    async sign(bytes) {
      const message =
        bytes.length <= longestMessage
          ? { Message: bytes, MessageType: 'RAW' as const }
          : { Message: hash(digests[algorithm], bytes, 'buffer'), MessageType: 'DIGEST' as const };
      const request = { KeyId: id, SigningAlgorithm: algorithm, ...message };
      const { Signature } = await asked('sign', () => client.send(new SignCommand(request), options));
      return Signature ?? new Uint8Array();
    },
  };
}
