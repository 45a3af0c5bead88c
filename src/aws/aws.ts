/**
 * What every AWS client of a run shares: sockets, time-outs, proxy, endpoint and name.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@smithy/types';
import { ProxyAgent } from 'proxy-agent';
import { programPackage } from '../package.ts';
import { proxyFrom } from './proxy.ts';

/**
 * Sockets beside those for AWS Backup: STS, Organizations and the like. Without them a role would be
 * assumed behind the very pages that wait for it.
 */
const controlSockets = 8;

/** Attempts of the SDK itself, for the few calls of discovery; AWS Backup has its own, longer retries. */
const discoveryAttempts = 5;

/** The part of a client's configuration that all clients have in common. */
export interface ClientDefaults {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: AwsCredentialIdentity | AwsCredentialIdentityProvider;
  readonly maxAttempts: number;
  readonly requestHandler: NodeHttpHandler;
  readonly customUserAgent: [string, string][];
}

export interface Aws {
  readonly requestHandler: NodeHttpHandler;
  /** How many requests to AWS Backup may be on their way at once. */
  readonly maxSockets: number;
  /** After this, a request without a whole answer is given up. */
  readonly requestTimeoutMs: number;
  /**
   * For every client but S3's. `endpoint` is only there when it was asked for, so that otherwise the SDK's
   * own `AWS_ENDPOINT_URL_<SERVICE>` variables hold. Never `destroy()` such a client: it would close the
   * sockets of all others; `close` does that, once, at the end.
   */
  clientDefaults(
    region: string,
    credentials?: AwsCredentialIdentity | AwsCredentialIdentityProvider,
  ): ClientDefaults;
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
  const requestHandler = new NodeHttpHandler({
    httpAgent,
    httpsAgent,
    connectionTimeout: connectTimeoutMs,
    socketTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    // On its own, requestTimeout only warns (node-http-handler, set-request-timeout.js).
    throwOnRequestTimeout: true,
  });
  return {
    requestHandler,
    maxSockets,
    requestTimeoutMs,
    clientDefaults: (region, credentials) => ({
      region,
      ...(endpointUrl === null ? {} : { endpoint: endpointUrl }),
      ...(credentials === undefined ? {} : { credentials }),
      maxAttempts: discoveryAttempts,
      requestHandler,
      customUserAgent: [['backup-copy-export', version]],
    }),
    close: () => {
      requestHandler.destroy();
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}
