/** What a person can do about what S3 refuses, by the code that S3 gives (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html). */

/** What was tried, for messages. */
export interface S3Attempt {
  readonly done: 'read' | 'written' | 'listed';
  /** `s3://bucket/key`. */
  readonly url: string;
  readonly bucket: string;
  readonly kmsKeyId: string | null;
  readonly expectedBucketOwner: string | null;
}

/** What S3 said, beside its code. */
export interface S3Refusal {
  readonly code: string;
  readonly message: string;
  /** The other fields of the answer: `StorageClass`, `Region`. */
  readonly field: (name: string) => string | null;
}

type Advice = (attempt: S3Attempt, refusal: S3Refusal) => string;

const otherRegion: Advice = ({ bucket }, { field }) => {
  const region = field('Region');
  const where = region === null ? 'in another region' : `in ${region}`;
  return (
    `The bucket ${bucket} lies ${where}. Set AWS_REGION to its region, or allow s3:ListBucket so that the region ` +
    'can be found. With --s3-endpoint-url, name the endpoint of that region.'
  );
};

const expired: Advice = () =>
  'The session credentials have expired or are not whole: renew them, then run again.';

const refusedKey: Advice = () =>
  'S3 does not know the access key, or the secret key does not fit it: check the credentials for the lake.';

const clock: Advice = () =>
  'S3 refused the date of every try, although requests carry the time that AWS’s services agree on, not this machine’s clock: ' +
  'look at proxies and gateways that hold requests back or answer in S3’s place, then run again.';

const damagedOnTheWay: Advice = () =>
  'The body changed between this machine and S3, in every try: look at proxies and gateways on the way, then run again.';

/** Whoever takes more must grow: a code that is not here is told by its status. */
const byCode: Readonly<Record<string, Advice>> = {
  NoSuchBucket: ({ bucket }) => `Create the bucket ${bucket}, or name another with --lake.`,
  // docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, InvalidObjectState
  InvalidObjectState: ({ url }, { field }) => {
    const where = field('AccessTier') ?? field('StorageClass');
    const [bucket, ...key] = url.replace('s3://', '').split('/');
    return (
      `The object is archived${where === null ? '' : ` (${where})`}. Restore it ` +
      `(aws s3api restore-object --bucket ${bucket} --key ${key.join('/')} --restore-request Days=7), wait until that is done, ` +
      'and run again. Exclude the lake’s prefix from the lifecycle rule or tiering that archives it.'
    );
  },
  CredentialsProviderError: () =>
    'Give the lake credentials: a task or pod role, AWS_PROFILE, or --lake-role-arn.',
  InvalidAccessKeyId: refusedKey,
  SignatureDoesNotMatch: refusedKey,
  ExpiredToken: expired,
  ExpiredTokenException: expired,
  TokenRefreshRequired: expired,
  InvalidToken: expired,
  RequestTimeTooSkewed: clock,
  RequestExpired: clock,
  PermanentRedirect: otherRegion,
  TemporaryRedirect: () =>
    'S3 has just made the bucket and still redirects requests to it: run again in an hour.',
  AuthorizationHeaderMalformed: otherRegion,
  IllegalLocationConstraintException: otherRegion,
  BadDigest: damagedOnTheWay,
  XAmzContentSHA256Mismatch: damagedOnTheWay,
  XAmzContentChecksumMismatch: damagedOnTheWay,
  NotImplemented: () =>
    'The store does not offer what this program needs: use another store, or a newer version of it.',
  InvalidArgument: refusedRequest,
  InvalidRequest: refusedRequest,
  MissingContentMD5: refusedRequest,
  AllAccessDisabled: ({ bucket }) => `AWS has closed the bucket ${bucket}: ask AWS Support.`,
  AccountProblem: ({ bucket }) =>
    `AWS has suspended the account that owns ${bucket}, or limits it: ask AWS Support.`,
  NotSignedUp: ({ bucket }) => `The account of the bucket ${bucket} has not signed up for S3.`,
};

const busyKms =
  'KMS was busy through all retries, and nothing is wrong with the key: run again later, or raise the account’s quota of KMS requests.';

/** What S3 hands on from KMS has the prefix `KMS.` (docs.aws.amazon.com/kms/latest/developerguide/key-state.html). */
const byKmsCode: Readonly<Record<string, string>> = {
  'KMS.DisabledException':
    'The KMS key is disabled: enable it (aws kms enable-key), and the lake can be used again. Nothing is lost.',
  'KMS.NotFoundException':
    'S3 does not find the KMS key: check that it exists in the bucket’s region. What a deleted key has encrypted cannot be read any more.',
  'KMS.ThrottlingException': busyKms,
  'KMS.DependencyTimeoutException': busyKms,
  'KMS.KMSInternalException': busyKms,
};

function keyState(message: string): string {
  return /pending deletion/i.test(message)
    ? 'The KMS key is going to be deleted: cancel that at once (aws kms cancel-key-deletion, then enable-key), for without it the lake cannot be read any more.'
    : 'The KMS key cannot be used in the state it is in (disabled, pending deletion or import, or its external store is out of reach): bring it back to “Enabled”.';
}

function refusedRequest({ kmsKeyId }: S3Attempt, { message }: S3Refusal): string {
  if (/object lock|content-md5|x-amz-checksum/i.test(message)) {
    return (
      'The bucket takes only requests with a checksum, as Object Lock with a default retention does: do not set ' +
      'AWS_REQUEST_CHECKSUM_CALCULATION (or request_checksum_calculation in the profile) to when_required.'
    );
  }
  if (kmsKeyId !== null && /kms|key|encrypt/i.test(message)) {
    return `Check --kms-key-id ${kmsKeyId}: an id or ARN of a symmetric key in the bucket’s region.`;
  }
  return 'The store refuses the request itself: check --s3-endpoint-url and what the bucket demands of writers.';
}

/** What to do about a code that says what is wrong; null: the code does not say enough. */
export function adviceByCode(attempt: S3Attempt, refusal: S3Refusal): string | null {
  const { code, message } = refusal;
  // Whoever reads the code from an answer may have written anything: only own names count.
  const known = Object.hasOwn(byCode, code) ? byCode[code] : undefined;
  if (known !== undefined) return known(attempt, refusal);
  if (/^KMS\..*InvalidStateException$/.test(code)) return keyState(message);
  const kms = Object.hasOwn(byKmsCode, code) ? byKmsCode[code] : undefined;
  if (kms !== undefined) return kms;
  return code.startsWith('KMS.')
    ? 'Check that the KMS key exists, is enabled and allows kms:GenerateDataKey and kms:Decrypt.'
    : null;
}

/** Access is denied, and S3 rarely says why: what is needed. */
export function permissionAdvice(attempt: S3Attempt, message: string): string {
  if (/requester pays|x-amz-request-payer/i.test(message)) {
    return `The bucket ${attempt.bucket} is a Requester Pays bucket, which a lake cannot lie in: turn that off, or use another bucket.`;
  }
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
