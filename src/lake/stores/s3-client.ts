/** The S3 client of a lake: it finds the region, bounds sockets and times, and retries long enough to survive a SlowDown. */
import { HeadBucketCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import pRetry from 'p-retry';
import type { Logger } from 'pino';
import { createAws } from '../../aws/aws.ts';
import { AwsClock } from '../../aws/clock.ts';
import { feedingClock } from '../../aws/clock-feeding-handler.ts';
import { configuredRegion } from '../../aws/configured-region.ts';
import { checkingOrigin } from '../../aws/origin-checking-handler.ts';
import { signedBy } from '../../aws/signing-clock.ts';
import { type Checksums, openChecksums } from './s3-checksums.ts';
import { s3Endpoint } from './s3-endpoint.ts';
import { codeOf, isTransient } from './s3-errors.ts';
import { s3Origin } from './s3-response-origin.ts';

export interface S3ClientOptions {
  readonly bucket: string;
  /** Null: from the environment or the profile, or AWS's own; see s3-endpoint.ts. */
  readonly endpointUrl: string | null;
  readonly expectedBucketOwner: string | null;
  readonly credentials?: AwsCredentialIdentityProvider;
  /** Default: the bucket's region according to S3, then the environment's, then us-east-1. */
  readonly region?: string;
  /** Default: a handler of its own, with bounded sockets and times, that supports HTTPS_PROXY. */
  readonly requestHandler?: NodeHttpHandler;
  /** The delay before the first retry, in addition to the SDK's own retries. It doubles each time. */
  readonly retryDelayMs?: number;
  readonly log: Pick<Logger, 'debug' | 'warn'>;
}

/** In addition to the SDK's three attempts. Enough for about a minute of SlowDown. */
const outerRetries = 5;
/** No retry begins after this time: a store that hangs must not use up the night. */
const maximumRetryMs = 5 * 60_000;
/** For all attempts to find the bucket's region. The caller's signal does not reach them. */
const regionTimeoutMs = 15_000;
const maximumSockets = 8;
/** Enough for the largest body in a single PUT. */
const requestTimeoutMs = 60_000;

export interface S3Connection {
  /** Created on the first call, because the endpoint may be in the shared configuration. */
  client(): Promise<S3Client>;
  readonly checksums: Checksums;
  /** The store's time, as its responses report it. */
  readonly clock: AwsClock;
  /** False until the first request, and for a custom endpoint. */
  isAws(): boolean;
  /** Runs an idempotent request, with retries after transient errors. Rejects with the signal's reason once aborted. */
  retried<T>(what: string, request: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  close(): void;
}

export function connectS3(options: S3ClientOptions): S3Connection {
  const own =
    options.requestHandler === undefined
      ? createAws({ endpointUrl: null, maxSockets: maximumSockets, requestTimeoutMs, origin: null })
      : null;
  const endpoint = once(() => s3Endpoint(options.endpointUrl));
  const checksums = openChecksums(async () => (await endpoint()).custom, options.log);
  const clock = new AwsClock();
  let isAws = false;
  const client = once(async () => {
    const { url, pathStyle, custom } = await endpoint();
    isAws = !custom;
    const handler = options.requestHandler ?? own?.requestHandler;
    const common: S3ClientConfig = {
      ...(url === null ? {} : { endpoint: url }),
      forcePathStyle: pathStyle,
      requestChecksumCalculation: checksums.ofRequests,
      responseChecksumValidation: checksums.ofAnswers,
      ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
      ...(handler === undefined
        ? {}
        : { requestHandler: feedingClock(checkingOrigin(handler, s3Origin(custom)), clock) }),
      maxAttempts: 3,
    };
    const region = options.region ?? once(() => findRegion(common, options, clock));
    return signedBy(clock, new S3Client({ ...common, region }));
  });
  return {
    client,
    checksums,
    clock,
    isAws: () => isAws,
    async retried(what, request, signal) {
      try {
        return await pRetry(request, {
          retries: outerRetries,
          minTimeout: options.retryDelayMs ?? 1000,
          maxTimeout: 20_000,
          maxRetryTime: maximumRetryMs,
          randomize: true,
          ...(signal === undefined ? {} : { signal }),
          shouldRetry: ({ error }) => isTransient(error) && signal?.aborted !== true,
          onFailedAttempt({ error, attemptNumber, retriesLeft }) {
            if (!isTransient(error) || signal?.aborted) return;
            options.log.warn(
              { what, attempt: attemptNumber, retriesLeft, code: codeOf(error) },
              'an S3 request failed and is sent again',
            );
          },
        });
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        throw error;
      }
    },
    // The caller closes its own handler.
    close: () => own?.close(),
  };
}

/**
 * HeadBucket names the region even if it denies access. The SDK's own followRegionRedirects is not used: it changes the
 * client's region during one request, which disturbs concurrent requests
 * (@aws-sdk/middleware-sdk-s3, region-redirect-endpoint-middleware.js).
 */
async function findRegion(
  common: S3ClientConfig,
  options: S3ClientOptions,
  clock: AwsClock,
): Promise<string> {
  const configured = (await configuredRegion()) ?? 'us-east-1';
  const client = signedBy(clock, new S3Client({ ...common, region: configured }));
  const owner = options.expectedBucketOwner;
  try {
    const head = new HeadBucketCommand({
      Bucket: options.bucket,
      ...(owner === null ? {} : { ExpectedBucketOwner: owner }),
    });
    return (
      (await client.send(head, { abortSignal: AbortSignal.timeout(regionTimeoutMs) })).BucketRegion ??
      configured
    );
  } catch (error) {
    const found = regionHeader(error);
    // The first real request reports the cause better: a HEAD response has no body.
    if (found === null)
      options.log.debug({ bucket: options.bucket, code: codeOf(error) }, 'bucket region not found');
    return found ?? configured;
  }
}

function regionHeader(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('$response' in error)) return null;
  // Safe: the SDK attaches the HTTP response to its errors, and every step is checked.
  const response = error.$response as { headers?: Record<string, unknown> } | undefined;
  const region = response?.headers?.['x-amz-bucket-region'];
  return typeof region === 'string' ? region : null;
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | null = null;
  return () => {
    result ??= work();
    return result;
  };
}
