/**
 * What a failed request means for its drain: how often it is sent again, and with which status the drain ends.
 */
import type { AwsFailure } from '../aws/failure.ts';
import { retryBudget as budgetOf } from '../aws/retries.ts';
import type { DrainStatus } from './source.ts';

/** How a drain that did not end well is reported. */
export interface Outcome {
  readonly status: Exclude<DrainStatus, 'OK'>;
  readonly errorName: string;
  readonly errorMessage: string;
}

/** A failure of AWS, or one that only a page can have. */
export type RequestFailure =
  | AwsFailure
  /** A 200 whose body or Date header cannot be read. */
  | { readonly kind: 'broken-answer'; readonly name: string; readonly message: string; readonly host: null };

/** What tells a disabled region from revoked credentials. */
export interface OutcomeContext {
  readonly region: string;
  /** The caller's own region. It is enabled: STS responded there. */
  readonly homeRegion: string;
  /** Whether AWS lists the region as enabled in the target's own account. */
  readonly regionListed: boolean;
  /** Whether STS still accepts the credentials; null: it was not asked. */
  readonly credentialsHold: boolean | null;
}

/**
 * How often a request is sent again after this failure. Other failures of the same request do not count.
 * `Infinity`: until the target's time is up.
 */
export function retryBudget(failure: RequestFailure): number {
  return failure.kind === 'broken-answer' ? 5 : budgetOf(failure);
}

/**
 * Whether a failure may mean that the region is disabled for this account. Only AWS can say so, by refusing credentials
 * there that it accepts elsewhere. A DNS error does not mean that: a DNS firewall hides hosts, and not every region has
 * the hosts that AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT ask for.
 */
export function maybeDisabled(failure: RequestFailure, { region, homeRegion }: OutcomeContext): boolean {
  return failure.kind === 'credentials-refused' && region !== homeRegion;
}

/**
 * The status a drain ends with when it cannot get past this failure.
 *
 * If a region refuses credentials, they may also have been revoked. So the region counts as disabled only if STS, in the
 * caller's own region, still accepts them; the home region cannot be disabled. If AWS answers with a 5xx, or cannot be
 * reached, the status is UNREACHABLE: a later run can succeed.
 */
export function outcomeOf(failure: RequestFailure, context: OutcomeContext): Outcome {
  if (isRefusedThoughListed(failure, context)) {
    return {
      status: 'UNREACHABLE',
      errorName: 'ListedRegionRefuses',
      errorMessage: `AWS lists the region as enabled in this account, and the region refuses credentials that STS accepts: ${failure.name}: ${failure.message}`,
    };
  }
  return {
    status: statusOf(failure, context),
    errorName: failure.name,
    errorMessage: failure.message,
  };
}

/** A region that AWS lists as enabled is not disabled. A later run may succeed, and until then each run names it. */
function isRefusedThoughListed(failure: RequestFailure, context: OutcomeContext): boolean {
  return maybeDisabled(failure, context) && context.credentialsHold === true && context.regionListed;
}

function statusOf(failure: RequestFailure, context: OutcomeContext): Outcome['status'] {
  switch (failure.kind) {
    case 'throttled':
      return 'THROTTLED';
    case 'server':
    case 'unreachable':
    case 'untrusted-certificate':
    case 'not-from-aws':
    case 'identity-unverified':
    case 'no-such-host':
      return 'UNREACHABLE';
    case 'timed-out':
      return 'TIMED_OUT';
    case 'credentials-refused':
      return maybeDisabled(failure, context) && context.credentialsHold === true
        ? 'REGION_DISABLED'
        : 'ACCESS_DENIED';
    case 'denied':
    case 'credentials-expired':
    case 'credentials-missing':
      return 'ACCESS_DENIED';
    case 'role-not-assumed':
      return 'ASSUME_ROLE_FAILED';
    case 'clock-skew':
    case 'broken-answer':
    case 'other':
      return 'FAILED';
  }
}

/** Thrown inside a drain, which turns it into its report. It never leaves the source. */
export class DrainFailure extends Error {
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super(outcome.errorMessage);
    this.outcome = outcome;
  }
}

/** AWS no longer accepts a page token that it gave. The drain starts again. */
export class PageTokenExpired extends Error {
  readonly failure: RequestFailure;
  constructor(failure: RequestFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** Of several failures side by side, the lowest rank explains most. */
export function failureRank(error: unknown): number {
  if (error instanceof PageTokenExpired) return 3;
  if (!(error instanceof DrainFailure)) return 1;
  switch (error.outcome.status) {
    case 'ACCESS_DENIED':
    case 'ASSUME_ROLE_FAILED':
    case 'REGION_DISABLED':
    case 'FAILED':
      return 2;
    case 'THROTTLED':
      return 4;
    case 'UNREACHABLE':
      return 5;
    case 'TIMED_OUT':
      // A clock of our own says less than a response of AWS that came too late.
      return ['TargetTimeout', 'DeadlineReached'].includes(error.outcome.errorName) ? 7 : 6;
    case 'INTERRUPTED':
      return 8;
  }
}

const tokenErrorNames = new Set([
  'InvalidParameterValueException',
  'InvalidRequestException',
  'InvalidParameterException',
  'ValidationException',
]);

/** Meaningful only for requests that carried a page token. */
export function isExpiredPageToken(failure: RequestFailure): boolean {
  if (/(NextToken|PaginationToken|PageToken)/.test(failure.name)) return true;
  return tokenErrorNames.has(failure.name) && /token/i.test(failure.message);
}
