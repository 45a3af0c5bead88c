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

/** The region of STS if neither the environment nor the profile names one. */
const defaultRegion = 'us-east-1';

/** With what, and where, the caller is asked for: known before STS says who it is. */
export interface CallerAccess {
  /** The caller's own credentials, shared and renewed. */
  readonly credentials: AwsCredentialIdentityProvider;
  /** The region of the STS that is asked: the given one, the environment's or profile's, or us-east-1. */
  readonly region: string;
}

export interface IdentifiedCaller extends CallerAccess {
  readonly caller: Caller;
  /** The Date of this one response, in milliseconds since the epoch. The run's as-of needs more witnesses: see AsOf. */
  readonly asOf: number;
}

export interface IdentifyOptions {
  readonly region?: string | null;
  /** Default: the SDK's chain (environment, profile, container, instance). */
  readonly credentials?: AwsCredentialIdentityProvider;
  /** When it is aborted, the request is cancelled, and the signal's reason is thrown. */
  readonly signal?: AbortSignal;
  /** Called right before each attempt is sent, when the credentials are there. */
  readonly onSending?: (access: CallerAccess) => void;
}

/**
 * Asks STS who the caller is, and what time it is. Needs no permission.
 * @throws AccessError when there are no credentials, or STS refuses them
 * @throws UnavailableError when STS cannot be reached
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
  command.middlewareStack.add(
    (next) => (args) => {
      options.onSending?.({ credentials, region });
      return next(args);
    },
    // In this step the lowest priority is closest to the wire.
    { step: 'deserialize', priority: 'low', name: 'tellSending' },
  );
  const ask = async () => {
    try {
      return await client.send(command, options.signal === undefined ? {} : { abortSignal: options.signal });
    } catch (error) {
      if (!(error instanceof ReportedError)) options.signal?.throwIfAborted();
      throw discoveryError(
        error,
        `AWS STS in ${region} did not say who the caller is`,
        'Check the credentials, and that AWS_REGION is in the same AWS partition',
      );
    }
  };
  const { Account, Arn } = await ask();
  const partition = Arn?.split(':')[1];
  if (!Account || !Arn || !partition) {
    throw new AccessError(
      `The response of AWS STS in ${region} has no account or no ARN`,
      'Check --endpoint-url and AWS_ENDPOINT_URL_STS',
    );
  }
  const asOf = kept.response?.date ?? null;
  if (asOf === null) {
    throw new UnavailableError(
      `The response of AWS STS in ${region} has no readable Date header`,
      'A run needs the time from AWS. Check what stands between the job and AWS',
    );
  }
  return { caller: { accountId: Account, arn: Arn, partition }, asOf, credentials, region };
}

/**
 * Whether STS accepts these credentials. If it does, they are valid, even if another endpoint refused them.
 * Rejects with the SDK's error when STS cannot be reached.
 */
export async function credentialsHold(
  aws: Aws,
  region: string,
  identity: AwsCredentialIdentity,
  abortSignal: AbortSignal,
): Promise<boolean> {
  // Two attempts, because the first response corrects a wrong clock.
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
