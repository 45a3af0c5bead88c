/** SHA-256 and its HMAC for the signatures of the SDK's clients. */
import { createHash, createHmac, createSecretKey, type Hash, type Hmac } from 'node:crypto';
import type { Checksum, SourceData } from '@smithy/types';

/**
 * What the SDK takes as `sha256`. Its own class gives createHmac the bytes of a key: to find out that they are no
 * KeyObject, Node 24 throws and catches an error (lib/internal/crypto/keys.js, getKeyObjectSlots), which costs three times
 * the HMAC itself. Requests to many targets derive a signing key each, and take six HMACs.
 */
export class SigningHash implements Checksum {
  readonly digestLength = 32;
  readonly #secret: SourceData | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: SourceData) {
    this.#secret = secret;
    this.#hash = hashFor(secret);
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = hashFor(this.#secret);
  }
}

function hashFor(secret: SourceData | undefined): Hash | Hmac {
  // An empty text is no key for the SDK's class either.
  return secret === undefined || secret === '' ? createHash('sha256') : createHmac('sha256', keyOf(secret));
}

function keyOf(secret: SourceData): Parameters<typeof createHmac>[1] {
  if (typeof secret === 'string') return createSecretKey(secret, 'utf8');
  const bytes = ArrayBuffer.isView(secret)
    ? Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength)
    : Buffer.from(secret);
  return createSecretKey(bytes);
}
