/** The keys of a run: the one that signs its checkpoint, and those that signed the checkpoints before. */
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Aws } from '../aws/aws.ts';
import type { SigningKeyLocation } from '../config/typed-values.ts';
import { readPublicKey, readSigningKey, type SigningKey, type TrustedKey } from './keys.ts';

export interface LocalKeys {
  /** Null: there is none, or it is in KMS. */
  readonly signing: SigningKey | null;
  readonly trusted: readonly TrustedKey[];
}

/** Reads the keys that are files, before the run reads anything else. @throws UsageError when one cannot be used */
export function readLocalKeys(options: {
  readonly signingKey: SigningKeyLocation | null;
  readonly publicKeys: readonly string[];
}): LocalKeys {
  const { signingKey, publicKeys } = options;
  return {
    signing: signingKey?.kind === 'file' ? readSigningKey(signingKey.file) : null,
    trusted: publicKeys.map(readPublicKey),
  };
}

/**
 * Asks KMS only for a key that is there. Null: the run has no key.
 * @throws CheckpointError when KMS cannot be used
 */
export async function openSigningKey(
  location: SigningKeyLocation | null,
  local: LocalKeys,
  access: {
    readonly aws: Aws;
    readonly credentials: AwsCredentialIdentityProvider;
    /** If the key's id does not name its region. */
    readonly region: string;
    readonly signal: AbortSignal;
  },
): Promise<SigningKey | null> {
  if (location === null) return null;
  if (location.kind === 'file') return local.signing;
  const [, , , region] = location.id.split(':');
  const defaults = access.aws.clientDefaults(region ?? access.region, access.credentials);
  // Loaded here, because only a run with a KMS key needs it.
  const { openKmsKey } = await import('./kms-key.ts');
  return await openKmsKey(location.id, defaults, access.signal);
}
