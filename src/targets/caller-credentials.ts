/**
 * The caller's own credentials, from wherever the SDK finds some: environment, profile, web identity, container, instance.
 */
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
  /** How long a container's endpoint that gives no credentials is asked again. */
  readonly retryForMs: number;
  /** The first wait; each further one is twice as long. */
  readonly firstDelayMs: number;
}

/** An agent that starts with the node, or is asked by too many at once, is back within that. */
const forAMinute: EndpointRetries = { retryForMs: 60_000, firstDelayMs: 1_000 };

const longestDelayMs = 8_000;

/**
 * Shared and renewed. Where a container's endpoint (ECS, EKS Pod Identity) has been promised by the environment, missing
 * credentials are something that time heals: they are asked for again, and are an UnavailableError in the end.
 * @param region where STS is asked for the role of a profile or a web identity, unless the profile says another
 * @param stopping aborted: waited no longer
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
    // No region here: SSO would be asked there, and not in the region that its profile names for it
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
        throw whatFailed(error, overheard.last());
      }
    },
    () => aws.clock.now(),
    () => aws.clock.monotonic(),
  );
  return endpoint === null ? shared : retryingEndpoint(shared, endpoint, stopping, retries);
}

/** The last request that the chain has made, and what came of it. */
interface Overheard {
  readonly isWebIdentity: boolean;
  /** Null: there was an answer. */
  readonly error: unknown;
  /** 0: there was none. */
  readonly status: number;
}

/** The same handler; what the chain asks through it is kept in mind, one set of credentials at a time. */
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
 * The chain's error, or what stands behind it: single sign-on calls everything that fails `CredentialsProviderError`, the
 * network too (@aws-sdk/credential-provider-sso, resolveSSOCredentials.js), and a web identity whose token has expired in
 * the middle of its renewal is told like a session that is over.
 */
function whatFailed(error: unknown, last: Overheard | null): unknown {
  const failure = awsFailure(error);
  if (last === null) return error;
  if (failure.kind === 'credentials-expired' && last.isWebIdentity) {
    return new UnavailableError(
      `The token of the web identity has expired: ${failure.name}: ${failure.message.replace(/\.$/, '')}`,
      'Run again later; if it stays so, look at who renews the file that AWS_WEB_IDENTITY_TOKEN_FILE names',
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

/** The SDK gives the relative one precedence, too (@aws-sdk/credential-provider-http, fromHttp.js). */
function containerEndpoint(environment: NodeJS.ProcessEnv): string | null {
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: path, AWS_CONTAINER_CREDENTIALS_FULL_URI: url } =
    environment;
  return path ? `http://169.254.170.2${path}` : url || null;
}

/** However many ask, the endpoint is asked again by one of them. */
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
      // It came up just now; or else it is not what is missing, and the chain says what is.
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
 * What the endpoint itself says: the last link of the SDK's chain is another reader of the same variables, one that knows
 * no EKS (@smithy/credential-provider-imds, fromContainerMetadata.js), and its error hides this one. Null: it gives some.
 * @throws what the SDK throws for an endpoint that it will never ask
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
  // Not its path: on ECS, who knows that is given the credentials.
  const { origin } = new URL(endpoint);
  return new UnavailableError(
    `The container's credential endpoint at ${origin} gave no credentials, asked for ${Math.round(waitedMs / 1000)} s: ${said}`,
    'Run again later; if it stays so, look at the agent that answers there, and at the role of the task or pod',
    { cause: why },
  );
}
