import { type AwsFailure, awsFailure } from '../aws/failure.ts';
import { networkAdvice } from '../aws/network-advice.ts';
import { AccessError, ReportedError, UnavailableError } from '../shared/errors.ts';

/** Whether the same call can succeed later without anybody doing something. */
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
 * What a person can do where the same failure comes again and again.
 * @param usual for a failure that says no more than that AWS could not be asked
 */
export function adviceToWait(failure: AwsFailure, usual: string): string {
  if (failure.kind === 'identity-unverified') {
    return 'Run again later; if it stays so, look whether AWS can read the keys of the token’s issuer, and whether the token’s file is renewed';
  }
  if (failure.kind === 'clock-skew') {
    return 'Run again later; AWS refused the date of the request, also when it was corrected by AWS’s answer: if it stays so, compare the clock of this machine with the Date that AWS, or whoever answers for it, sends';
  }
  return networkAdvice(failure) ?? usual;
}

/**
 * What a person can do about a refusal of STS that says what is wrong; null: it does not.
 * See docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html and API_AssumeRole.html, Errors.
 */
export function adviceByName(name: string): string | null {
  switch (name.replace(/Exception$/, '')) {
    case 'InvalidIdentityToken':
      return 'Let IAM have an OpenID Connect provider for the issuer of the token, with its audience, and let the role trust it';
    case 'IDPRejectedClaim':
      return 'The identity provider no longer stands by the token: let it give a new one';
    case 'RegionDisabled':
      return 'Activate STS in this region, in the account settings of IAM, or let AWS_REGION name a region where it is active';
    case 'PackedPolicyTooLarge':
      return 'The session’s policies and tags are too large together: pass on fewer or shorter session tags';
    default:
      return null;
  }
}

/**
 * The error that ends a run whose targets could not be found out.
 * @param what what could not be done, to what: `The accounts of the organization could not be listed`
 * @param advice for an access that was refused: the IAM actions to allow
 */
export function discoveryError(error: unknown, what: string, advice: string): ReportedError {
  // Its message says all.
  if (error instanceof ReportedError) return error;
  const failure = awsFailure(error);
  const said = `${what}: ${failure.name}: ${failure.message.replace(/\.$/, '')}`;
  if (canSucceedLater(failure)) {
    return new UnavailableError(
      said,
      adviceToWait(
        failure,
        'Run again later; if it stays so, look at the network, the proxy, the region and --endpoint-url',
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
        'Check the credentials, and that AWS_REGION names a region of their own partition',
        { cause: error },
      );
    default:
      return new AccessError(said, adviceByName(failure.name) ?? advice, { cause: error });
  }
}
