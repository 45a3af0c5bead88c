/**
 * One client of AWS Backup for each region, whoever asks. A client reads its configuration before its first request: as much
 * CPU time again as a request takes. With one for each target, thousands of targets would pay for that.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { BackupClient } from '@aws-sdk/client-backup';
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Aws } from '../aws/aws.ts';
import { signedBy } from '../aws/signing-clock.ts';

/** The SDK has credentials for each client, not for each request: who asks is found where the request comes from. */
const asking = new AsyncLocalStorage<AwsCredentialIdentityProvider>();

/** Sends with these credentials; for a client of `RegionClients`. */
export function sendAs<Result>(
  credentials: AwsCredentialIdentityProvider,
  send: () => Promise<Result>,
): Promise<Result> {
  return asking.run(credentials, send);
}

export class RegionClients {
  readonly #aws: Aws;
  readonly #clients = new Map<string, BackupClient>();

  constructor(aws: Aws) {
    this.#aws = aws;
  }

  of(region: string): BackupClient {
    const client = this.#clients.get(region) ?? this.#make(region);
    this.#clients.set(region, client);
    return client;
  }

  #make(region: string): BackupClient {
    const ofAsker: AwsCredentialIdentityProvider = async () => {
      const credentials = asking.getStore();
      if (credentials === undefined)
        throw new TypeError('a request of AWS Backup has to come through sendAs');
      return await credentials();
    };
    const client = new BackupClient({
      // Otherwise the SDK would keep the credentials of whoever asked first.
      ...this.#aws.clientDefaults(region, Object.assign(ofAsker, { memoized: true })),
      maxAttempts: 1,
      retryMode: 'standard',
    });
    return signedBy(this.#aws.clock, client);
  }
}
