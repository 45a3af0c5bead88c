/** A signing key in AWS KMS. Needs kms:GetPublicKey and kms:Sign on the key. The private key never leaves KMS. */
import { createPublicKey, hash } from 'node:crypto';
import { GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import type { ClientDefaults } from '../aws/aws.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { digests, type SigningKey, trustedKey } from './keys.ts';

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
      // KMS takes at most 4,096 bytes of a message, but any message's digest.
      const Message = hash(digests[algorithm], bytes, 'buffer');
      const request = { KeyId: id, Message, MessageType: 'DIGEST' as const, SigningAlgorithm: algorithm };
      const { Signature } = await asked('sign', () => client.send(new SignCommand(request), options));
      return Signature ?? new Uint8Array();
    },
  };
}
