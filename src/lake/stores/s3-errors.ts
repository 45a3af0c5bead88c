/** Classifies errors of S3 and of the network in between, and turns them into errors for people. */
import { awsFailure, type FailureKind } from '../../aws/failure.ts';
import { networkAdvice } from '../../aws/network-advice.ts';
import { ForeignResponse } from '../../aws/response-origin.ts';
import { LakeError, ReportedError } from '../../shared/errors.ts';
import { adviceByCode, permissionAdvice, type S3Attempt } from './s3-advice.ts';

/** The error's code from S3 (`NoSuchKey`) or from the system (`ECONNRESET`). */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.name;
}

/** The HTTP status of the response; null if there was none. */
export function statusOf(error: unknown): number | null {
  const metadata = metadataOf(error);
  return typeof metadata?.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
}

function metadataOf(error: unknown): { httpStatusCode?: unknown; requestId?: unknown } | null {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return null;
  const metadata = error.$metadata;
  return typeof metadata === 'object' && metadata !== null ? metadata : null;
}

const transientCodes: ReadonlySet<string> = new Set([
  'SlowDown',
  'RequestTimeout',
  'TimeoutError',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'InternalError',
  'ServiceUnavailable',
  'IncompleteBody',
  // The body was changed in transit.
  'BadDigest',
  'XAmzContentSHA256Mismatch',
  'XAmzContentChecksumMismatch',
  // S3 passes on that KMS is busy.
  'KMS.ThrottlingException',
  'KMS.DependencyTimeoutException',
  'KMS.KMSInternalException',
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** True if the same request may succeed a little later. It may even have taken effect already. */
export function isTransient(error: unknown): boolean {
  const status = statusOf(error);
  // What the store does not support, it will not support a minute later.
  if (status === 501) return false;
  if ((status !== null && (status >= 500 || status === 429)) || transientCodes.has(codeOf(error)))
    return true;
  const { kind } = awsFailure(error);
  // A request that was refused for its date had no effect, and the next one gets a new date.
  if (kind === 'clock-skew') return true;
  return error instanceof ForeignResponse || (status === null && transientKinds.has(kind));
}

/** Failures of the network, or of the provider of the credentials. */
const transientKinds: ReadonlySet<FailureKind> = new Set([
  'unreachable',
  'timed-out',
  'throttled',
  'server',
  'not-from-aws',
  'identity-unverified',
]);

/**
 * True if the store says explicitly that there is no such object; denied access never counts. A 404 alone is not enough:
 * versitygw 1.8 returns it for an unknown access key, and so does any web server that is not S3.
 */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && codeOf(error) === 'NoSuchKey';
}

/** Refusals that every object of the bucket would get. */
const codesOfTheStore: ReadonlySet<string> = new Set([
  'NoSuchBucket',
  'ExpiredToken',
  'ExpiredTokenException',
  'TokenRefreshRequired',
  'InvalidToken',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
  'AllAccessDisabled',
  'AccountProblem',
  'NotSignedUp',
]);

/**
 * True if S3 refuses an object (or a version) and may well give others: it is archived, its KMS key is gone, access to it is
 * denied. False for what concerns the whole store: the network, the credentials, the bucket.
 */
export function isOfOneObject(error: unknown): boolean {
  const status = statusOf(error);
  if (status === null || status < 400 || status > 499 || isTransient(error)) return false;
  return !codesOfTheStore.has(codeOf(error));
}

/**
 * True if a conditional write failed its condition. 409 means that another conditional write is in progress. `If-Match` on
 * a missing object returns 404 (github.com/apache/arrow-rs/issues/6801), and so does completing an upload that no longer
 * exists.
 */
export function isConflict(error: unknown): boolean {
  const status = statusOf(error);
  return status === 412 || status === 409 || isMissing(error) || codeOf(error) === 'NoSuchUpload';
}

/** @returns a LakeError with the key, the cause and what to do */
export function s3Error(error: unknown, attempt: S3Attempt): LakeError {
  if (error instanceof LakeError) return error;
  if (error instanceof ReportedError) {
    // The credentials could not be obtained. The message already says everything.
    const what = error.message.slice(0, -`. ${error.advice}`.length);
    return new LakeError(`${attempt.url} could not be ${attempt.done}: ${what}`, error.advice, {
      cause: error,
    });
  }
  const requestId = metadataOf(error)?.requestId;
  const details = [
    codeOf(error),
    error instanceof Error && error.message !== codeOf(error) ? error.message : null,
    statusOf(error) === null ? null : `HTTP ${statusOf(error)}`,
    typeof requestId === 'string' ? `request ${requestId}` : null,
  ];
  const cause = details.filter((detail) => detail !== null && detail !== '').join(', ');
  return new LakeError(`${attempt.url} could not be ${attempt.done} (${cause})`, adviceFor(error, attempt), {
    cause: error,
  });
}

function adviceFor(error: unknown, attempt: S3Attempt): string {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : '';
  const onTheWay = networkAdvice(awsFailure(error));
  if (onTheWay !== null && (error instanceof ForeignResponse || statusOf(error) === null))
    return `${onTheWay}.`;
  const named = adviceByCode(attempt, { code, message, field: (name) => fieldOf(error, name) });
  if (named !== null) return named;
  if (statusOf(error) === 403) return permissionAdvice(attempt, message);
  if (isTransient(error)) {
    return 'S3 was slow, busy or unreachable in all retries. Check the network, HTTPS_PROXY and --s3-endpoint-url, then run again.';
  }
  return 'Nothing was damaged. Check the bucket, its policy and --s3-endpoint-url, then run again.';
}

/** The SDK copies the fields of S3's response to every error. */
function fieldOf(error: unknown, name: string): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' && value !== '' ? value : null;
}
