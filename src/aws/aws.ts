/**
 * What every AWS client of a run shares: sockets, time-outs, proxy, endpoint and name.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type {
  AbsoluteLocation,
  AwsCredentialIdentity,
  AwsCredentialIdentityProvider,
  InitializeHandlerOptions,
  InitializeMiddleware,
} from '@smithy/types';
import { ProxyAgent } from 'proxy-agent';
import { programPackage } from '../shared/program-package.ts';
import { AwsClock } from './clock.ts';
import { feedingClock } from './clock-feeding-handler.ts';
import { checkingOrigin } from './origin-checking-handler.ts';
import { proxyFrom } from './proxy.ts';
import { awsOrigin, type ResponseOrigin } from './response-origin.ts';
import { type Patience, withRetries } from './retries.ts';

/**
 * Sockets beside those for AWS Backup: STS, Organizations and the like. Without them a role would be
 * assumed behind the very pages that wait for it.
 */
const controlSockets = 8;

/** Attempts of the SDK itself, for the few calls of discovery; `patient` asks again, and longer. AWS Backup has retries of its own. */
const discoveryAttempts = 5;

/** Between the attempts of a patient client: about ten of them in twenty seconds. */
const waits = { firstDelayMs: 500, longestDelayMs: 4_000 };

/** Enough for somebody who waits at a terminal. */
const shortPatienceMs = 5_000;

/** The part of a client's configuration that all clients have in common. */
export interface ClientDefaults {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: AwsCredentialIdentity | AwsCredentialIdentityProvider;
  readonly maxAttempts: number;
  readonly requestHandler: NodeHttpHandler;
  readonly customUserAgent: [string, string][];
}

/** The part of the SDK's clients that is needed here. */
export interface ClientWithStack {
  readonly middlewareStack: {
    add(
      // biome-ignore lint/suspicious/noExplicitAny: any client's input and output will do; neither is touched.
      middleware: InitializeMiddleware<any, any>,
      options: InitializeHandlerOptions & AbsoluteLocation,
    ): void;
  };
}

export interface Aws {
  readonly requestHandler: NodeHttpHandler;
  /** How many requests to AWS Backup may be on their way at once. */
  readonly maxSockets: number;
  /** After this, a request without a whole answer is given up. */
  readonly requestTimeoutMs: number;
  /** AWS's time, as the answers told it. */
  readonly clock: AwsClock;
  /**
   * For every client but S3's. `endpoint` is only there when it was asked for, so that otherwise the SDK's
   * own `AWS_ENDPOINT_URL_<SERVICE>` variables hold. Never `destroy()` such a client: it would close the
   * sockets of all others; `close` does that, once, at the end.
   */
  clientDefaults(
    region: string,
    credentials?: AwsCredentialIdentity | AwsCredentialIdentityProvider,
  ): ClientDefaults;
  /**
   * The same client, which now sends each request again and again, for as long as time may heal what fails and the
   * run's patience lasts. Made for the calls of discovery.
   * @param signal aborted: nothing is sent again
   */
  patient<Client extends ClientWithStack>(client: Client, signal?: AbortSignal): Client;
  close(): void;
}

export interface AwsOptions {
  /** For all services but S3; null: as the SDK finds it. */
  readonly endpointUrl: string | null;
  readonly maxSockets: number;
  /** Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** Default 30 s; bounds the wait for an answer, and each silence within it. */
  readonly requestTimeoutMs?: number;
  /** By what an answer is told from that of something in between; default: as for every service but S3. Null: nothing looks. */
  readonly origin?: ResponseOrigin | null;
  /** How long a patient client asks again; default 5 s. */
  readonly patienceMs?: number;
  /** Told of each failure that a patient client asks again after. */
  readonly onRetry?: Patience['onRetry'];
}

/**
 * One set of keep-alive sockets for the whole run. A proxy is used only where the usual variables
 * (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, with `NO_PROXY`) name one.
 * @throws UsageError when one of them holds what cannot be the address of a proxy
 */
export function createAws(options: AwsOptions): Aws {
  const { endpointUrl, maxSockets, connectTimeoutMs = 10_000, requestTimeoutMs = 30_000 } = options;
  const agentOptions = { keepAlive: true, maxSockets: maxSockets + controlSockets };
  const proxyFor = proxyFrom(process.env);
  const proxy = proxyFor === null ? null : new ProxyAgent({ ...agentOptions, getProxyForUrl: proxyFor });
  const httpAgent = proxy ?? new HttpAgent(agentOptions);
  const version = programPackage().version;
  const httpsAgent = proxy ?? new HttpsAgent(agentOptions);
  const handler = new NodeHttpHandler({
    httpAgent,
    httpsAgent,
    connectionTimeout: connectTimeoutMs,
    socketTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    // On its own, requestTimeout only warns (node-http-handler, set-request-timeout.js).
    throwOnRequestTimeout: true,
  });
  const { origin = awsOrigin } = options;
  const clock = new AwsClock();
  const requestHandler = feedingClock(origin === null ? handler : checkingOrigin(handler, origin), clock);
  const { patienceMs = shortPatienceMs, onRetry = () => undefined } = options;
  const patience: Patience = { ...waits, patienceMs, onRetry };
  return {
    requestHandler,
    maxSockets,
    requestTimeoutMs,
    clock,
    clientDefaults: (region, credentials) => ({
      region,
      ...(endpointUrl === null ? {} : { endpoint: endpointUrl }),
      ...(credentials === undefined ? {} : { credentials }),
      maxAttempts: discoveryAttempts,
      requestHandler,
      customUserAgent: [['backup-copy-export', version]],
    }),
    patient: (client, signal) => {
      client.middlewareStack.add((next) => (args) => withRetries(() => next(args), patience, signal), {
        step: 'initialize',
        // Around all that the SDK does for a request, its own retries too.
        priority: 'high',
        name: 'askAgain',
        override: true,
      });
      return client;
    },
    close: () => {
      requestHandler.destroy();
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}
