/** Advice for errors of S3, by their codes (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html). */

/** What the program tried to do, for messages. */
export interface S3Attempt {
  readonly done: 'read' | 'written' | 'listed';
  /** `s3://bucket/key`. */
  readonly url: string;
  readonly bucket: string;
  readonly kmsKeyId: string | null;
  readonly expectedBucketOwner: string | null;
  /** The option that names the bucket. Default: --lake. */
  readonly option?: string;
  /** An old version that was to be read. Default: the object as it is. */
  readonly versionId?: string;
}

/** S3's error. */
export interface S3Refusal {
  readonly code: string;
  readonly message: string;
  /** Other fields of the response: `StorageClass`, `Region`. */
  readonly field: (name: string) => string | null;
}

type Advice = (attempt: S3Attempt, refusal: S3Refusal) => string;

const otherRegion: Advice = ({ bucket }, { field }) => {
  const region = field('Region');
  const where = region === null ? 'in another region' : `in ${region}`;
  return (
    `The bucket ${bucket} is ${where}. Set AWS_REGION to its region, or allow s3:ListBucket so that the program can find ` +
    'the region. If you use --s3-endpoint-url, set it to the endpoint of that region.'
  );
};

const expired: Advice = () =>
  'The session credentials have expired or are incomplete. Renew them, then run again.';

const refusedKey: Advice = () =>
  'S3 does not know the access key, or the secret key does not match it. Check the credentials for the lake.';

const clock: Advice = () =>
  'S3 refused the date of every attempt, although requests follow the clocks of AWS’s services. ' +
  'Check proxies and gateways that delay requests or respond in place of S3, then run again.';

const damagedOnTheWay: Advice = () =>
  'The body changed between this machine and S3 in every attempt. Check proxies and gateways in between, then run again.';

/** For other codes, the HTTP status decides. */
const byCode: Readonly<Record<string, Advice>> = {
  NoSuchBucket: ({ bucket, option = '--lake' }) =>
    `Create the bucket ${bucket}, or set ${option} to another bucket.`,
  // docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, InvalidObjectState
  InvalidObjectState: ({ url, versionId }, { field }) => {
    const where = field('AccessTier') ?? field('StorageClass');
    const [bucket, ...key] = url.replace('s3://', '').split('/');
    const version = versionId === undefined ? '' : ` --version-id ${versionId}`;
    return (
      `The object is archived${where === null ? '' : ` (${where})`}. Restore it ` +
      `(aws s3api restore-object --bucket ${bucket} --key ${key.join('/')}${version} --restore-request Days=7), wait until that is done, ` +
      'and run again. Exclude the lake’s prefix from the lifecycle rule or tiering that archives objects.'
    );
  },
  CredentialsProviderError: () =>
    'Provide credentials for the lake: a task or pod role, AWS_PROFILE, or --lake-role-arn.',
  InvalidAccessKeyId: refusedKey,
  SignatureDoesNotMatch: refusedKey,
  ExpiredToken: expired,
  ExpiredTokenException: expired,
  TokenRefreshRequired: expired,
  InvalidToken: expired,
  RequestTimeTooSkewed: clock,
  RequestExpired: clock,
  PermanentRedirect: otherRegion,
  TemporaryRedirect: () => 'The bucket is new, and S3 still redirects requests to it. Run again in an hour.',
  AuthorizationHeaderMalformed: otherRegion,
  IllegalLocationConstraintException: otherRegion,
  BadDigest: damagedOnTheWay,
  XAmzContentSHA256Mismatch: damagedOnTheWay,
  XAmzContentChecksumMismatch: damagedOnTheWay,
  NotImplemented: () =>
    'The store does not support what this program needs. Use another store, or a newer version of it.',
  InvalidArgument: refusedRequest,
  InvalidRequest: refusedRequest,
  MissingContentMD5: refusedRequest,
  AllAccessDisabled: ({ bucket }) => `AWS has disabled access to the bucket ${bucket}. Ask AWS Support.`,
  AccountProblem: ({ bucket }) =>
    `AWS has suspended or restricted the account that owns ${bucket}. Ask AWS Support.`,
  NotSignedUp: ({ bucket }) => `The account of the bucket ${bucket} has not signed up for S3.`,
};

const busyKms =
  'KMS was busy in all retries; the key itself is fine. Run again later, or raise the account’s quota for KMS requests.';

/** Errors that S3 passes on from KMS have the prefix `KMS.` (docs.aws.amazon.com/kms/latest/developerguide/key-state.html). */
const byKmsCode: Readonly<Record<string, string>> = {
  'KMS.DisabledException':
    'Nothing is lost, but the KMS key is disabled. Enable it (aws kms enable-key), and the lake can be used again.',
  'KMS.NotFoundException':
    'S3 cannot find the KMS key. Check that it exists in the bucket’s region. Data that was encrypted with a deleted key is lost.',
  'KMS.ThrottlingException': busyKms,
  'KMS.DependencyTimeoutException': busyKms,
  'KMS.KMSInternalException': busyKms,
};

function keyState(message: string): string {
  return /pending deletion/i.test(message)
    ? 'The KMS key is scheduled for deletion. Cancel that at once (aws kms cancel-key-deletion, then enable-key): without the key, the lake cannot be read any more.'
    : 'The KMS key is not usable in its current state (disabled, pending deletion or import, or its external key store is unreachable). Bring it back to “Enabled”.';
}

function refusedRequest({ kmsKeyId }: S3Attempt, { message }: S3Refusal): string {
  if (/object lock|content-md5|x-amz-checksum/i.test(message)) {
    return (
      'The bucket accepts only writes with a checksum, as buckets with Object Lock and a default retention do. Do not set ' +
      'AWS_REQUEST_CHECKSUM_CALCULATION (or request_checksum_calculation in the profile) to when_required.'
    );
  }
  if (kmsKeyId !== null && /kms|key|encrypt/i.test(message)) {
    return `Check --kms-key-id ${kmsKeyId}: it must be the id or ARN of a symmetric key in the bucket’s region.`;
  }
  return 'The store refuses the request itself. Check --s3-endpoint-url and the bucket’s requirements for writes.';
}

/** Advice for a code that says what is wrong; null: the code does not say enough. */
export function adviceByCode(attempt: S3Attempt, refusal: S3Refusal): string | null {
  const { code, message } = refusal;
  // The code comes from a response and can be anything, so inherited names must not match.
  const known = Object.hasOwn(byCode, code) ? byCode[code] : undefined;
  if (known !== undefined) return known(attempt, refusal);
  if (/^KMS\..*InvalidStateException$/.test(code)) return keyState(message);
  const kms = Object.hasOwn(byKmsCode, code) ? byKmsCode[code] : undefined;
  if (kms !== undefined) return kms;
  return code.startsWith('KMS.')
    ? 'Check that the KMS key exists, is enabled and allows kms:GenerateDataKey and kms:Decrypt.'
    : null;
}

/** Advice when access is denied. S3 rarely says why, so this lists what is needed. */
export function permissionAdvice(attempt: S3Attempt, message: string): string {
  if (/requester pays|x-amz-request-payer/i.test(message)) {
    return `The bucket ${attempt.bucket} is a Requester Pays bucket, which cannot hold a lake. Turn Requester Pays off, or use another bucket.`;
  }
  const needed = {
    read: `${attempt.versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion'} on the lake’s objects and s3:ListBucket on ${attempt.bucket} (without it S3 returns 403 for missing objects), and kms:Decrypt if a KMS key encrypts them`,
    written: `s3:PutObject (and s3:AbortMultipartUpload) on the lake’s objects, and kms:GenerateDataKey and kms:Decrypt if a KMS key encrypts them`,
    listed: `s3:ListBucket on ${attempt.bucket}`,
  }[attempt.done];
  const owner =
    attempt.expectedBucketOwner === null
      ? ''
      : ` Also check that account ${attempt.expectedBucketOwner} owns the bucket, as --expected-bucket-owner says.`;
  return `Allow ${needed}: in the role’s policy, the bucket policy and the key policy.${owner}`;
}
