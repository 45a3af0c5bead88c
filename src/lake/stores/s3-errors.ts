/** What S3, or the way to it, says when it refuses: what it means for a lake, and what a person can do. */
import { LakeError } from '../../errors.ts';

/** What was tried, for messages. */
export interface S3Attempt {
  readonly done: 'read' | 'written' | 'listed';
  /** `s3://bucket/key`. */
  readonly url: string;
  readonly bucket: string;
  readonly kmsKeyId: string | null;
  readonly expectedBucketOwner: string | null;
}

/** The error's code, as S3 names it (`NoSuchKey`), or the system's (`ECONNRESET`). */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.name;
}

/** The HTTP status of the answer; null when there was none. */
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

/** True when the same request may well succeed a little later; it may even have had its effect. */
export function isTransient(error: unknown): boolean {
  const status = statusOf(error);
  return (status !== null && (status >= 500 || status === 429)) || transientCodes.has(codeOf(error));
}

/**
 * True when there is no such object, and the store says just that; an access refused never says it. A 404 alone
 * does not do: versitygw 1.8 answers it for an unknown access key, and so does any web server that is no S3 at all.
 */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && codeOf(error) === 'NoSuchKey';
}

/**
 * True when a conditional write was refused because of what is there. 409 is another conditional write
 * under way; `If-Match` on an object that is gone is 404 (github.com/apache/arrow-rs/issues/6801), and so is
 * completing an upload that is no more.
 */
export function isConflict(error: unknown): boolean {
  const status = statusOf(error);
  return status === 412 || status === 409 || isMissing(error) || codeOf(error) === 'NoSuchUpload';
}

/** @returns a LakeError with the key, the cause and what to do */
export function explained(error: unknown, attempt: S3Attempt): LakeError {
  if (error instanceof LakeError) return error;
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
  switch (code) {
    case 'NoSuchBucket':
      return `Create the bucket ${attempt.bucket}, or name another with --lake.`;
    case 'CredentialsProviderError':
      return 'Give the lake credentials: a task or pod role, AWS_PROFILE, or --lake-role-arn.';
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
      return 'S3 does not know the access key, or the secret key does not fit it: check the credentials for the lake.';
    case 'ExpiredToken':
    case 'ExpiredTokenException':
    case 'TokenRefreshRequired':
    case 'InvalidToken':
      return 'The session credentials have expired or are not whole: renew them, then run again.';
    case 'RequestTimeTooSkewed':
      return 'Set this machine’s clock: it is too far from S3’s.';
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
      return 'The bucket lies in another region: set AWS_REGION to it, or allow s3:ListBucket so that it can be found.';
    case 'InvalidArgument':
    case 'InvalidRequest':
      return attempt.kmsKeyId === null
        ? 'The store refuses the request itself: check --s3-endpoint-url and what the bucket demands of writers.'
        : `Check --kms-key-id ${attempt.kmsKeyId}: an id or ARN of a symmetric key in the bucket’s region.`;
    default:
  }
  if (code.startsWith('KMS.')) {
    return 'Check that the KMS key exists, is enabled and allows kms:GenerateDataKey and kms:Decrypt.';
  }
  if (statusOf(error) === 403) return permissionAdvice(attempt);
  if (isTransient(error)) {
    return 'S3 stayed slow, busy or out of reach through all retries: check the network, HTTPS_PROXY and --s3-endpoint-url, then run again.';
  }
  return 'Check the bucket, its policy and --s3-endpoint-url, then run again: nothing was damaged.';
}

function permissionAdvice(attempt: S3Attempt): string {
  const needed = {
    read: `s3:GetObject on the lake’s objects and s3:ListBucket on ${attempt.bucket} (without it S3 answers 403 for what is not there), and kms:Decrypt where a key encrypts them`,
    written: `s3:PutObject (and s3:AbortMultipartUpload) on the lake’s objects, and kms:GenerateDataKey and kms:Decrypt where a key encrypts them`,
    listed: `s3:ListBucket on ${attempt.bucket}`,
  }[attempt.done];
  const owner =
    attempt.expectedBucketOwner === null
      ? ''
      : ` Check too that account ${attempt.expectedBucketOwner} owns the bucket, as --expected-bucket-owner says.`;
  return `Allow ${needed}: in the role’s policy, and in the bucket’s and the key’s.${owner}`;
}
