/** The caller's own credentials, from the SDK's chain: environment, profile, web identity, container, instance. */
import { setTimeout as delay } from 'node:timers/promises';
import { fromHttp, fromNodeProviderChain } from '@aws-sdk/credential-providers';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@smithy/types';
import type { Aws } from '../aws/aws.ts';
import { awsFailure } from '../aws/failure.ts';
import { wrapped } from '../aws/wrapped-handler.ts';
import { UnavailableError } from '../shared/errors.ts';
import { type RefreshRequest, shareCredentials } from './credentials.ts';

export interface EndpointRetries {
  /** How long a container's credential endpoint is asked again. */
  readonly retryForMs: number;
  /** The first delay; each further one is twice as long. */
  readonly firstDelayMs: number;
}

/** An agent that is still starting, or has too many requests, responds within this time. */
const forAMinute: EndpointRetries = { retryForMs: 60_000, firstDelayMs: 1_000 };

const longestDelayMs = 8_000;

/**
 * Shared and renewed. If the environment names a container's credential endpoint (ECS, EKS Pod Identity), a retry can
 * help when credentials are missing. So the endpoint is asked again, and only then an UnavailableError is thrown.
 * @param region where STS assumes the role of a profile or a web identity, unless the profile names another
 * @param stopping once it is aborted, nothing is asked again
 */
export function callerCredentials(
  aws: Aws,
  region: string,
  stopping?: AbortSignal,
  retries: EndpointRetries = forAMinute,
): AwsCredentialIdentityProvider {
  const endpoint = containerEndpoint(process.env);
  const overheard = overhear(aws.requestHandler);
  const chain = fromNodeProviderChain({
    // No region here: it would also apply to SSO, which must use the region from its profile
    // (@aws-sdk/credential-provider-sso, resolveSSOCredentials.js).
    clientConfig: { requestHandler: overheard.handler },
    ...(endpoint === null ? {} : { maxRetries: 0 }),
  });
  const callerClientConfig = { region: async () => region };
  const shared = shareCredentials(
    async (forceRefresh) => {
      overheard.forget();
      try {
        return await chain({ forceRefresh, callerClientConfig });
      } catch (error) {
        throw underlyingError(error, overheard.last());
      }
    },
    () => aws.clock.now(),
    () => aws.clock.monotonic(),
  );
  return endpoint === null ? shared : retryingEndpoint(shared, endpoint, stopping, retries);
}

/** The last request of the chain, and its result. */
interface Overheard {
  readonly isWebIdentity: boolean;
  /** Null: there was a response. */
  readonly error: unknown;
  /** 0: there was none. */
  readonly status: number;
}

/** The same handler, and the last request through it. */
function overhear(handler: NodeHttpHandler) {
  let last: Overheard | null = null;
  const handle: NodeHttpHandler['handle'] = async (request, options) => {
    const isWebIdentity = String(request.body).includes('Action=AssumeRoleWithWebIdentity');
    try {
      const answered = await handler.handle(request, options);
      last = { isWebIdentity, error: null, status: answered.response.statusCode };
      return answered;
    } catch (error) {
      last = { isWebIdentity, error, status: 0 };
      throw error;
    }
  };
  return {
    handler: wrapped(handler, handle),
    last: () => last,
    forget: () => {
      last = null;
    },
  };
}

/**
 * The chain's error, or the error behind it. Single sign-on reports every failure as a `CredentialsProviderError`, even a
 * network failure (@aws-sdk/credential-provider-sso, resolveSSOCredentials.js). And if the token of a web identity expires
 * while it is being renewed, the error looks like that of an expired session.
 */
function underlyingError(error: unknown, last: Overheard | null): unknown {
  const failure = awsFailure(error);
  if (last === null) return error;
  if (failure.kind === 'credentials-expired' && last.isWebIdentity) {
    return new UnavailableError(
      `The token of the web identity has expired: ${failure.name}: ${failure.message.replace(/\.$/, '')}`,
      'Run again later. If this keeps happening, check what renews the file in AWS_WEB_IDENTITY_TOKEN_FILE',
      { cause: error },
    );
  }
  if (failure.kind !== 'credentials-missing') return error;
  if (last.error !== null) return last.error;
  if (last.status < 500 && last.status !== 429) return error;
  const $metadata = { httpStatusCode: last.status };
  return Object.assign(new Error(failure.message, { cause: error }), {
    name: 'CredentialsUnavailable',
    $metadata,
  });
}

/** As in the SDK, the relative URI wins (@aws-sdk/credential-provider-http, fromHttp.js). */
function containerEndpoint(environment: NodeJS.ProcessEnv): string | null {
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: path, AWS_CONTAINER_CREDENTIALS_FULL_URI: url } =
    environment;
  return path ? `http://169.254.170.2${path}` : url || null;
}

/** However many callers wait, only one request at a time goes to the endpoint. */
function retryingEndpoint(
  credentials: AwsCredentialIdentityProvider,
  endpoint: string,
  stopping: AbortSignal | undefined,
  { retryForMs, firstDelayMs }: EndpointRetries,
): AwsCredentialIdentityProvider {
  let waiting: Promise<AwsCredentialIdentity> | null = null;
  const untilThere = async (): Promise<AwsCredentialIdentity> => {
    const begun = performance.now();
    for (let waitMs = firstDelayMs; ; waitMs = Math.min(2 * waitMs, longestDelayMs)) {
      const why = await refusalOf(endpoint);
      // Either the endpoint has just come up, or something else is missing, and the chain says what.
      if (why === null) return await credentials();
      const waited = performance.now() - begun;
      if (stopping?.aborted || waited + waitMs > retryForMs) throw unavailable(endpoint, waited, why);
      await delay(waitMs, undefined, stopping === undefined ? {} : { signal: stopping }).catch(
        () => undefined,
      );
      try {
        return await credentials();
      } catch (error) {
        if (awsFailure(error).kind !== 'credentials-missing') throw error;
      }
    }
  };
  const provider = async (properties?: Partial<RefreshRequest>) => {
    try {
      return await credentials(properties);
    } catch (error) {
      if (awsFailure(error).kind !== 'credentials-missing') throw error;
      waiting ??= untilThere().finally(() => {
        waiting = null;
      });
      return await waiting;
    }
  };
  return Object.assign(provider, { memoized: true });
}

/**
 * The endpoint's own error. The last provider in the SDK's chain reads the same variables but does not support EKS
 * (@smithy/credential-provider-imds, fromContainerMetadata.js), and its error hides this one. Null: the endpoint returned
 * credentials.
 * @throws what the SDK throws for an endpoint that it never asks
 */
async function refusalOf(endpoint: string): Promise<unknown> {
  const ask = fromHttp({ maxRetries: 0 });
  try {
    await ask();
    return null;
  } catch (error) {
    return error ?? new Error(`${endpoint} gave no credentials`);
  }
}

function unavailable(endpoint: string, waitedMs: number, why: unknown): UnavailableError {
  const said = awsFailure(why).message.replace(/\.$/, '');
  // Without the path: on ECS, whoever knows it gets the credentials.
  const { origin } = new URL(endpoint);
  return new UnavailableError(
    `The container's credential endpoint at ${origin} returned no credentials for ${Math.round(waitedMs / 1000)} s: ${said}`,
    'Run again later. If this keeps happening, check the agent behind the endpoint, and the role of the task or pod',
    { cause: why },
  );
}
