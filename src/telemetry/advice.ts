import { networkAdviceByName } from '../aws/network-advice.ts';
import type { CoverageStatus } from '../ledger/coverage.ts';

const advice: Readonly<Record<CoverageStatus, string>> = {
  OK: 'Nothing to do.',
  OK_EMPTY: 'Nothing to do: AWS holds nothing here for this window.',
  ACCESS_DENIED:
    'Let the role read AWS Backup (backup:ListCopyJobs, backup:ListCopyJobSummaries), and look for a service control policy that denies them in this region.',
  ASSUME_ROLE_FAILED:
    'Create the role in this account (deploy/iam), let it trust whoever runs this, allow the caller sts:AssumeRole on it, and compare --role-name and --external-id with it.',
  REGION_DISABLED: 'Enable the region in this account, or leave it out of --regions.',
  THROTTLED: 'The next run tries again. If it keeps happening, lower --requests-per-second or --concurrency.',
  TIMED_OUT: 'The next run tries again. If it keeps happening, raise --target-timeout.',
  UNREACHABLE:
    'The next run tries again. If it keeps happening, check DNS, routes, proxy and VPC endpoints to AWS Backup in this region.',
  INTERRUPTED: 'The run was told to stop; the next one reads what is missing.',
  SKIPPED:
    'The deadline came first; the next run reads it. If it keeps happening, mend what the last attempt ended with; where none is named, raise --deadline or --concurrency.',
  PUBLISH_FAILED:
    'Nothing that was published is lost; once the cause is mended, the next run reads and publishes this again.',
  REJECTED_RECORDS:
    'Some records could not become rows; they are kept raw in the lake under _ledger/rejected. Report them, so that a newer version can read them.',
  FAILED: 'The error has no name here; look at the log lines of this account and region.',
};

/** Where the status alone does not say whose time was up. */
const byDeadline =
  'The run’s deadline came first; the next run reads and publishes it. If it keeps happening, raise --deadline or --concurrency.';

/** Where the window closed before all was published. */
const byWindow =
  'The next run reads and publishes it. If it keeps happening, begin the run earlier, or widen --publish-window.';

/** Where AWS would not take the date of a request. */
const byDate =
  'AWS refused the date of the requests, also when it was corrected by AWS’s answers. The next run tries again. If it keeps happening, compare the clock of this machine with the Date that AWS, or whoever answers for it, sends.';
const dateNames: ReadonlySet<string> = new Set([
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
]);

/** Where an answer is older than the run. */
const byStaleAnswer =
  'Something answers with what AWS said before the run began. The next run tries again. If it keeps happening, look for a cache between the job and AWS.';

/** Where nothing was left to read. */
const byEmptyWindow =
  'Nothing to do: earlier runs have read further than --until. To read it again, give --since as well.';

/** Where a region was read before. */
const bySwitchedOff =
  'This region was read before, and AWS now refuses there the credentials that it takes elsewhere. If it was meant to be switched off, nothing is to be done: from the next run on it is only counted. If not, enable the region again in this account before AWS forgets its jobs (about 30 days).';

/** Where a region refuses credentials that AWS takes elsewhere, and lists it as enabled. */
const byListedRegion =
  'The next run tries again. AWS says two things of this region: it is in the list of enabled regions, and it refuses the account. A region that was enabled or disabled today agrees with the list within hours. If it keeps happening, disable the region, leave it out with --regions, or ask AWS Support.';

/** What a person can do about a (table, target) that ended with this status and error: one or two sentences. */
export function adviceFor(status: CoverageStatus, errorName: string | null): string {
  if (status === 'FAILED' && dateNames.has(errorName ?? '')) return byDate;
  if (status === 'FAILED' && errorName === 'StaleAnswer') return byStaleAnswer;
  if (status === 'SKIPPED' && errorName === 'EmptyWindow') return byEmptyWindow;
  if (status === 'TIMED_OUT' && errorName === 'DeadlineReached') return byDeadline;
  if (status === 'TIMED_OUT' && errorName === 'PublishWindowClosed') return byWindow;
  if (status === 'REGION_DISABLED' && errorName === 'RegionSwitchedOff') return bySwitchedOff;
  if (status === 'UNREACHABLE' && errorName === 'ListedRegionRefuses') return byListedRegion;
  const onTheWay = status === 'UNREACHABLE' ? networkAdviceByName(errorName ?? '') : null;
  if (onTheWay !== null) return `${onTheWay}.`;
  return advice[status];
}
