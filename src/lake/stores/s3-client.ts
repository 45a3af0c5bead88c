/** One S3 client for a lake: found region, bounded sockets and times, retries that outlast a slow-down. */
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
  /** Null: as the environment or the profile say, or AWS's own; see s3-endpoint.ts. */
  readonly endpointUrl: string | null;
  readonly expectedBucketOwner: string | null;
  readonly credentials?: AwsCredentialIdentityProvider;
  /** Default: the bucket's, asked of S3; else the environment's; else us-east-1. */
  readonly region?: string;
  /** Default: one of its own, with bounded sockets and times, that honours HTTPS_PROXY. */
  readonly requestHandler?: NodeHttpHandler;
  /** The first pause before a request is sent again, beyond the SDK's own retries; doubles each time. */
  readonly retryDelayMs?: number;
  readonly log: Pick<Logger, 'debug' | 'warn'>;
}

/** Beyond the SDK's three attempts: about a minute of slow-down is outlasted. */
const outerRetries = 5;
/** And no retry begins after this: a store that hangs must not eat the night. */
const maximumRetryMs = 5 * 60_000;
/** All tries of finding the bucket's region; nobody's signal reaches them. */
const regionTimeoutMs = 15_000;
const maximumSockets = 8;
/** A body of the largest single PUT must be through by then. */
const requestTimeoutMs = 60_000;

export interface S3Connection {
  /** Made at the first call: where S3 is asked, and how, may have to be read from the shared configuration. */
  client(): Promise<S3Client>;
  readonly checksums: Checksums;
  /** The store's time, as its answers tell it. */
  readonly clock: AwsClock;
  /** False until the first request, and where the endpoint is somebody's own. */
  isAws(): boolean;
  /** Runs an idempotent request, again after transient errors. Rejects with the signal's reason once aborted. */
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
              'S3 asks for patience',
            );
          },
        });
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        throw error;
      }
    },
    // A handler that was lent is not ours to close.
    close: () => own?.close(),
  };
}

/**
 * HeadBucket names the region even where it refuses. The SDK's own followRegionRedirects is not used: it swaps the
 * client's region for the time of one request, so requests side by side trip over each other
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
    // What is really wrong is said better by the first real request: HEAD has no body to say it in.
    if (found === null)
      options.log.debug({ bucket: options.bucket, code: codeOf(error) }, 'bucket region not found');
    return found ?? configured;
  }
}

function regionHeader(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('$response' in error)) return null;
  // The SDK hangs the HTTP response on its errors; every step down is checked.
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
