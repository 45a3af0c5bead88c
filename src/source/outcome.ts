/**
 * What a failed request means for its drain: asked again how often, and which status it ends with.
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

/** A failure of AWS, or one that only reading pages can have. */
export type RequestFailure =
  | AwsFailure
  /** A 200 whose body or Date header cannot be read. */
  | { readonly kind: 'broken-answer'; readonly name: string; readonly message: string; readonly host: null };

/** Whose credentials were found good, and how the target's region stands to the caller's. */
export interface OutcomeContext {
  readonly region: string;
  /** The caller's own region: known to be enabled, STS was asked there. */
  readonly homeRegion: string;
  /** Whether AWS lists the region as enabled in the target's own account. */
  readonly regionListed: boolean;
  /** Whether STS still takes the credentials; null: not asked. */
  readonly credentialsHold: boolean | null;
}

/**
 * How often a request is asked again after this failure, not counting other failures of the same request.
 * `Infinity`: for as long as the target's time lasts.
 */
export function retryBudget(failure: RequestFailure): number {
  return failure.kind === 'broken-answer' ? 5 : budgetOf(failure);
}

/**
 * Whether a failure may mean that the region is not enabled for this account. Only AWS can say so, by refusing there what it
 * takes elsewhere. A host that DNS does not know says nothing of it: a DNS firewall hides hosts, and with
 * AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT another host is asked, which not every region has.
 */
export function maybeDisabled(failure: RequestFailure, { region, homeRegion }: OutcomeContext): boolean {
  return failure.kind === 'credentials-refused' && region !== homeRegion;
}

/**
 * The status a drain ends with when it cannot get past this failure.
 *
 * Credentials that a region does not know are no news about the region alone: they may have been revoked since.
 * Only when STS, asked in the caller's own region, still takes them is the region called disabled; in the home region, which
 * cannot be disabled, never. Everything that AWS could not answer (5xx), or could not be asked, is called UNREACHABLE: time
 * heals it.
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

/** A region cannot be disabled that AWS lists as enabled: time heals it, and no night may pass over it in silence. */
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

/** Thrown inside a drain, and turned into its report at the drain's end: it never leaves the source. */
export class DrainFailure extends Error {
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super(outcome.errorMessage);
    this.outcome = outcome;
  }
}

/** AWS no longer knows the page token it gave: the drain starts again. */
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

/** Only asked about requests that carried a page token. */
export function isExpiredPageToken(failure: RequestFailure): boolean {
  if (/(NextToken|PaginationToken|PageToken)/.test(failure.name)) return true;
  return tokenErrorNames.has(failure.name) && /token/i.test(failure.message);
}
