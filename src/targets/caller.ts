import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@smithy/types';
import type { Aws } from '../aws/aws.ts';
import { configuredRegion } from '../aws/configured-region.ts';
import { awsFailure } from '../aws/failure.ts';
import { captureResponse } from '../aws/response.ts';
import { signedBy } from '../aws/signing-clock.ts';
import { AccessError, ReportedError, UnavailableError } from '../shared/errors.ts';
import { callerCredentials } from './caller-credentials.ts';
import { discoveryError } from './discovery-error.ts';
import type { Caller } from './target.ts';

/** Where STS is asked when neither environment nor profile names a region. */
const defaultRegion = 'us-east-1';

export interface IdentifiedCaller {
  readonly caller: Caller;
  /** AWS's time of this one answer, in milliseconds since the epoch; the run's as-of takes more: see AsOf. */
  readonly asOf: number;
  /** The caller's own, shared and renewed. */
  readonly credentials: AwsCredentialIdentityProvider;
  /** Where STS was asked: the region given, the environment's or profile's, else us-east-1. */
  readonly region: string;
}

export interface IdentifyOptions {
  readonly region?: string | null;
  /** Default: the SDK's chain (environment, profile, container, instance). */
  readonly credentials?: AwsCredentialIdentityProvider;
  /** Aborted: the request is given up, and its reason thrown. */
  readonly signal?: AbortSignal;
}

/**
 * Asks STS who runs this, and what time it is. Needs no permission.
 * @throws AccessError when there are no credentials, or they are refused
 * @throws UnavailableError when STS cannot be asked
 */
export async function identifyCaller(aws: Aws, options: IdentifyOptions = {}): Promise<IdentifiedCaller> {
  const region = options.region ?? (await configuredRegion()) ?? defaultRegion;
  const credentials = options.credentials ?? callerCredentials(aws, region, options.signal);
  const client = aws.retrying(
    signedBy(aws.clock, new STSClient(aws.clientDefaults(region, credentials))),
    options.signal,
  );
  const command = new GetCallerIdentityCommand({});
  const kept = captureResponse(command.middlewareStack);
  const ask = async () => {
    try {
      return await client.send(command, options.signal === undefined ? {} : { abortSignal: options.signal });
    } catch (error) {
      if (!(error instanceof ReportedError)) options.signal?.throwIfAborted();
      throw discoveryError(
        error,
        `AWS STS in ${region} did not say who the caller is`,
        'Check the credentials, and that AWS_REGION names a region of their own partition',
      );
    }
  };
  const { Account, Arn } = await ask();
  const partition = Arn?.split(':')[1];
  if (!Account || !Arn || !partition) {
    throw new AccessError(
      `AWS STS in ${region} answered without an account or ARN`,
      'Check --endpoint-url and AWS_ENDPOINT_URL_STS',
    );
  }
  const asOf = kept.response?.date ?? null;
  if (asOf === null) {
    throw new UnavailableError(
      `AWS STS in ${region} answered without a Date header that can be read`,
      "The run's time is AWS's, never this machine's: look at what stands between the job and AWS",
    );
  }
  return { caller: { accountId: Account, arn: Arn, partition }, asOf, credentials, region };
}

/**
 * Whether STS takes these credentials: they are good, wherever else they were refused.
 * Rejects as the SDK does when STS cannot be asked.
 */
export async function credentialsHold(
  aws: Aws,
  region: string,
  identity: AwsCredentialIdentity,
  abortSignal: AbortSignal,
): Promise<boolean> {
  // Twice, since a wrong clock is corrected by the first answer.
  const client = signedBy(
    aws.clock,
    new STSClient({ ...aws.clientDefaults(region, identity), maxAttempts: 2 }),
  );
  try {
    await client.send(new GetCallerIdentityCommand({}), { abortSignal });
    return true;
  } catch (error) {
    switch (awsFailure(error).kind) {
      case 'credentials-refused':
      case 'credentials-expired':
      case 'denied':
        return false;
      default:
        throw error;
    }
  }
}
