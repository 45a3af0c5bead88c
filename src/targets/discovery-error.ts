import { type AwsFailure, awsFailure } from '../aws/failure.ts';
import { networkAdvice } from '../aws/network-advice.ts';
import { AccessError, ReportedError, UnavailableError } from '../shared/errors.ts';

/** Whether the same call can succeed later without anybody's help. */
export function canSucceedLater(failure: AwsFailure): boolean {
  switch (failure.kind) {
    case 'throttled':
    case 'server':
    case 'timed-out':
    case 'unreachable':
    case 'untrusted-certificate':
    case 'not-from-aws':
    case 'no-such-host':
    case 'identity-unverified':
    case 'clock-skew':
      return true;
    case 'credentials-expired':
    case 'credentials-refused':
    case 'credentials-missing':
    case 'denied':
    case 'role-not-assumed':
    case 'other':
      return false;
  }
}

/**
 * What to do if the same failure keeps happening.
 * @param usual for a failure that only says that AWS could not be reached
 */
export function adviceToRetry(failure: AwsFailure, usual: string): string {
  if (failure.kind === 'identity-unverified') {
    return 'Run again later. If this keeps happening, check that AWS can read the keys of the token’s issuer, and that the token file is renewed';
  }
  if (failure.kind === 'clock-skew') {
    return 'Run again later. AWS refused the date of the request, even after it was corrected by AWS’s response. If this keeps happening, compare the clock of this machine with the Date header of the responses';
  }
  return networkAdvice(failure) ?? usual;
}

/**
 * What to do about an error of STS that says what is wrong; null: it does not say.
 * See docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html and API_AssumeRole.html, Errors.
 */
export function adviceByName(name: string): string | null {
  switch (name.replace(/Exception$/, '')) {
    case 'InvalidIdentityToken':
      return 'Create an OpenID Connect provider in IAM for the token’s issuer and audience, and make the role trust it';
    case 'IDPRejectedClaim':
      return 'The identity provider rejected the token: request a new one from it';
    case 'RegionDisabled':
      return 'Activate STS for this region in IAM’s account settings, or set AWS_REGION to a region where it is active';
    case 'PackedPolicyTooLarge':
      return 'The session’s policies and tags are too large together: use fewer or shorter session tags';
    default:
      return null;
  }
}

/**
 * The error that ends a run because its targets could not be determined.
 * @param what what failed: `The accounts of the organization could not be listed`
 * @param advice if access was denied: the IAM actions to allow
 */
export function discoveryError(error: unknown, what: string, advice: string): ReportedError {
  // Its message already says everything.
  if (error instanceof ReportedError) return error;
  const failure = awsFailure(error);
  const said = `${what}: ${failure.name}: ${failure.message.replace(/\.$/, '')}`;
  if (canSucceedLater(failure)) {
    return new UnavailableError(
      said,
      adviceToRetry(
        failure,
        'Run again later. If this keeps happening, check the network, the proxy, the region and --endpoint-url',
      ),
      { cause: error },
    );
  }
  switch (failure.kind) {
    case 'credentials-missing':
      return new AccessError(
        said,
        'Give the job AWS credentials: a role for the container, AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
        { cause: error },
      );
    case 'credentials-expired':
      return new AccessError(said, 'Renew the credentials and run again', { cause: error });
    case 'credentials-refused':
      return new AccessError(
        said,
        'Check the credentials, and that AWS_REGION is in the same AWS partition',
        { cause: error },
      );
    default:
      return new AccessError(said, adviceByName(failure.name) ?? advice, { cause: error });
  }
}
