/** What all AWS clients of a run share: sockets, time-outs, proxy, endpoint and user agent. */
import { Agent as HttpsAgent } from 'node:https';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type {
  AbsoluteLocation,
  AwsCredentialIdentity,
  AwsCredentialIdentityProvider,
  InitializeHandlerOptions,
  InitializeMiddleware,
} from '@smithy/types';
import type { ProxyAgent, ProxyAgentOptions } from 'proxy-agent';
import { programPackage } from '../shared/program-package.ts';
import { AwsClock } from './clock.ts';
import { feedingClock, isSts } from './clock-feeding-handler.ts';
import { checkingOrigin } from './origin-checking-handler.ts';
import { proxyFrom } from './proxy.ts';
import { awsOrigin, type ResponseOrigin } from './response-origin.ts';
import { type RetryPolicy, withRetries } from './retries.ts';
import { SigningHash } from './signing-hash.ts';

/** Not by `import`: that would also load Node's WebSocket and what it needs, some 20 ms (lib/http.js). */
const { Agent: HttpAgent } = process.getBuiltinModule('node:http');

/**
 * Extra sockets for STS, Organizations and the like. Without them, AssumeRole would queue behind the very pages that
 * wait for the role. Where many pages are requested at once, accounts follow each other faster.
 */
const controlSocketsFor = (maxSockets: number): number => Math.max(8, Math.ceil(maxSockets / 4));

/** The SDK's own attempts for a discovery call. `retrying` adds more, for longer. AWS Backup has its own retries. */
const discoveryAttempts = 5;

/** Between the attempts of a retrying client: about ten attempts in twenty seconds. */
const retryDelays = { firstDelayMs: 500, longestDelayMs: 4_000 };

/** As long as a person at a terminal is willing to wait. */
const shortRetryMs = 5_000;

/** The part of a client's configuration that all clients have in common. */
export interface ClientDefaults {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: AwsCredentialIdentity | AwsCredentialIdentityProvider;
  readonly maxAttempts: number;
  readonly requestHandler: NodeHttpHandler;
  readonly customUserAgent: [string, string][];
  readonly sha256: typeof SigningHash;
}

/** The part of the SDK's clients that is needed here. */
export interface ClientWithStack {
  readonly middlewareStack: {
    add(
      middleware: InitializeMiddleware<object, object>,
      options: InitializeHandlerOptions & AbsoluteLocation,
    ): void;
  };
}

export interface Aws {
  readonly requestHandler: NodeHttpHandler;
  /** How many requests to AWS Backup may be in flight at once. */
  readonly maxSockets: number;
  /** How many requests to STS and the like may be in flight beside them. */
  readonly controlSockets: number;
  /** A request without a complete response is given up after this time. */
  readonly requestTimeoutMs: number;
  /** AWS's time, as its responses report it. */
  readonly clock: AwsClock;
  /**
   * For every client except S3's. `endpoint` is set only if `--endpoint-url` is, so that otherwise the SDK's own
   * `AWS_ENDPOINT_URL_<SERVICE>` variables apply. Never call `destroy()` on such a client: it would close the sockets
   * of all others. `close` does that once, at the end.
   */
  clientDefaults(
    region: string,
    credentials?: AwsCredentialIdentity | AwsCredentialIdentityProvider,
  ): ClientDefaults;
  /**
   * Makes the client send a failed request again, as long as a retry can help and `retryForMs` is not over. Meant for
   * the discovery calls. Returns the client.
   * @param signal once it is aborted, nothing is sent again
   * @param after see RetryPolicy
   */
  retrying<Client extends ClientWithStack>(
    client: Client,
    signal?: AbortSignal,
    after?: Promise<unknown>,
  ): Client;
  close(): void;
}

export interface AwsOptions {
  /** For all services except S3; null: the SDK decides. */
  readonly endpointUrl: string | null;
  readonly maxSockets: number;
  /** Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** Default 30 s. Bounds the wait for a response, and each pause within it. */
  readonly requestTimeoutMs?: number;
  /** How to recognize AWS's own responses. Default: for every service except S3. Null: no check. */
  readonly origin?: ResponseOrigin | null;
  /** How long a retrying client keeps retrying; default 5 s. */
  readonly retryForMs?: number;
  /** Called before each retry of a retrying client. */
  readonly onRetry?: RetryPolicy['onRetry'];
}

/**
 * One set of keep-alive sockets for the whole run. A proxy is used only if the usual variables (`HTTPS_PROXY`,
 * `HTTP_PROXY`, `ALL_PROXY`, with `NO_PROXY`) name one.
 * @throws UsageError when one of them does not hold the address of a proxy
 */
export function createAws(options: AwsOptions): Aws {
  const { endpointUrl, maxSockets, connectTimeoutMs = 10_000, requestTimeoutMs = 30_000 } = options;
  const controlSockets = controlSocketsFor(maxSockets);
  const agentOptions = { keepAlive: true, maxSockets: maxSockets + controlSockets };
  const proxyFor = proxyFrom(process.env);
  const version = programPackage().version;
  const agents = { httpAgent: new HttpAgent(agentOptions), httpsAgent: new HttpsAgent(agentOptions) };
  const handler = new NodeHttpHandler(async () => ({
    ...(proxyFor === null ? agents : await proxyAgents({ ...agentOptions, getProxyForUrl: proxyFor })),
    connectionTimeout: connectTimeoutMs,
    socketTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    // On its own, requestTimeout only warns (node-http-handler, set-request-timeout.js).
    throwOnRequestTimeout: true,
  }));
  const { origin = awsOrigin } = options;
  const clock = new AwsClock({ countsAtOnce: isSts });
  const requestHandler = feedingClock(origin === null ? handler : checkingOrigin(handler, origin), clock);
  const { retryForMs = shortRetryMs, onRetry = () => undefined } = options;
  const policy: RetryPolicy = { ...retryDelays, retryForMs, onRetry };
  return {
    requestHandler,
    maxSockets,
    controlSockets,
    requestTimeoutMs,
    clock,
    clientDefaults: (region, credentials) => ({
      region,
      ...(endpointUrl === null ? {} : { endpoint: endpointUrl }),
      ...(credentials === undefined ? {} : { credentials }),
      maxAttempts: discoveryAttempts,
      requestHandler,
      customUserAgent: [['backup-copy-export', version]],
      sha256: SigningHash,
    }),
    retrying: (client, signal, after) => {
      const its = after === undefined ? policy : { ...policy, after };
      client.middlewareStack.add((next) => (args) => withRetries(() => next(args), its, signal), {
        step: 'initialize',
        // Outside everything that the SDK does for a request, including its own retries.
        priority: 'high',
        name: 'retryRequest',
        override: true,
      });
      return client;
    },
    close: () => {
      // With a proxy, its agent is the handler's.
      requestHandler.destroy();
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

/** One agent for both. Few runs need a proxy, so the package is loaded only then. */
async function proxyAgents(
  options: ProxyAgentOptions,
): Promise<{ readonly httpAgent: ProxyAgent; readonly httpsAgent: ProxyAgent }> {
  const { ProxyAgent } = await import('proxy-agent');
  const proxy = new ProxyAgent(options);
  return { httpAgent: proxy, httpsAgent: proxy };
}
