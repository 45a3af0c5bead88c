/**
 * Keys that sign checkpoints and prove their signatures. The algorithm follows from the key alone, never from a file of the
 * lake: ECDSA with SHA-256 on P-256 and with SHA-384 on P-384, RSASSA-PSS with SHA-256 for RSA of 2048 bits or more. KMS
 * calls them ECDSA_SHA_256, ECDSA_SHA_384 and RSASSA_PSS_SHA_256
 * (https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html).
 */
import {
  constants,
  createPrivateKey,
  createPublicKey,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { UsageError } from '../shared/errors.ts';

export type SignatureAlgorithm = 'ECDSA_SHA_256' | 'ECDSA_SHA_384' | 'RSASSA_PSS_SHA_256';

export const digests = {
  ECDSA_SHA_256: 'sha256',
  ECDSA_SHA_384: 'sha384',
  RSASSA_PSS_SHA_256: 'sha256',
} as const satisfies Readonly<Record<SignatureAlgorithm, string>>;

/** A public key whose signatures count. */
export interface TrustedKey {
  readonly key: KeyObject;
  /** SHA-256 of the key's DER form (SubjectPublicKeyInfo), in hex. */
  readonly keyId: string;
  readonly algorithm: SignatureAlgorithm;
}

/** A key that signs. */
export interface SigningKey {
  readonly trusted: TrustedKey;
  /** @throws ReportedError when the key cannot be used */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** Null: this program does not sign or verify with such a key. */
export function trustedKey(key: KeyObject): TrustedKey | null {
  const algorithm = algorithmOf(key);
  if (algorithm === null) return null;
  return { key, keyId: hash('sha256', key.export({ type: 'spki', format: 'der' })), algorithm };
}

function algorithmOf({
  asymmetricKeyType,
  asymmetricKeyDetails: details,
}: KeyObject): SignatureAlgorithm | null {
  if (asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1') return 'ECDSA_SHA_256';
  if (asymmetricKeyType === 'ec' && details?.namedCurve === 'secp384r1') return 'ECDSA_SHA_384';
  if (asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= 2048) return 'RSASSA_PSS_SHA_256';
  return null;
}

/** Whether one of the keys made the signature: that key, or null. */
export function signerOf(
  bytes: Uint8Array,
  signature: Uint8Array,
  keys: readonly TrustedKey[],
): TrustedKey | null {
  return (
    keys.find((one) =>
      verify(digests[one.algorithm], bytes, padded(one.key, constants.RSA_PSS_SALTLEN_AUTO), signature),
    ) ?? null
  );
}

/**
 * PSS with a salt as long as the digest, as KMS makes it; a signature is good with any salt. ECDSA signatures are in DER, as
 * KMS and OpenSSL write them.
 */
function padded(key: KeyObject, saltLength: number = constants.RSA_PSS_SALTLEN_DIGEST) {
  if (key.asymmetricKeyType !== 'rsa') return key;
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
}

/** @throws UsageError when the file is not such a key */
export function readSigningKey(file: string): SigningKey {
  const key = readKey('--signing-key', file, createPrivateKey);
  const trusted = trustedKey(createPublicKey(key));
  if (trusted === null) throw unusable('--signing-key', file);
  return { trusted, sign: async (bytes) => sign(digests[trusted.algorithm], bytes, padded(key)) };
}

/** @throws UsageError when the file is not such a key */
export function readPublicKey(file: string): TrustedKey {
  const trusted = trustedKey(readKey('--public-key', file, publicKeyIn));
  if (trusted === null) throw unusable('--public-key', file);
  return trusted;
}

/** Node would make the public key of a private one. But whoever gives a private key away has given away the signature. */
function publicKeyIn(pem: string): KeyObject {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) throw new PrivateKeyGiven();
  return createPublicKey(pem);
}

class PrivateKeyGiven extends Error {}

function readKey(option: string, file: string, parse: (pem: string) => KeyObject): KeyObject {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    // Errors of the file system carry a code such as ENOENT; anything else has none.
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new UsageError(
      `The key ${file} of ${option} cannot be read (${code})`,
      'Check its path and permissions.',
      {
        cause: error,
      },
    );
  }
  try {
    return parse(pem);
  } catch (error) {
    if (error instanceof PrivateKeyGiven) {
      throw new UsageError(
        `The file ${file} of ${option} is a private key, with which anybody could sign`,
        `Name the public key: openssl pkey -in ${file} -pubout makes it. Keep the private key where only export can read it, and replace it if others could.`,
      );
    }
    const kind =
      option === '--signing-key' ? 'a private key in PEM without a passphrase' : 'a public key in PEM';
    throw new UsageError(`The file ${file} of ${option} is not ${kind}`, `Name a file with ${kind}.`, {
      cause: error,
    });
  }
}

function unusable(option: string, file: string): UsageError {
  return new UsageError(
    `The key ${file} of ${option} is of a kind that checkpoints cannot use`,
    'Use a key for ECDSA on P-256 or P-384, or for RSA with at least 2048 bits.',
  );
}
