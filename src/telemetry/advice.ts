/** Advice for a target that was not read: by status and, where the status is not enough, by error. */
import { networkAdvices } from '../aws/network-advice.ts';
import type { CoverageStatus } from '../ledger/coverage.ts';

/** Each status has advice of its own. */
const advice: Readonly<Record<CoverageStatus, string>> = {
  OK: 'Nothing to do.',
  OK_EMPTY: 'Nothing to do: AWS holds nothing here for this window.',
  ACCESS_DENIED:
    'Allow the role backup:ListCopyJobs and backup:ListCopyJobSummaries, and check for a service control policy that denies them in this region.',
  ASSUME_ROLE_FAILED:
    'Create the role in this account (deploy/iam), let it trust the caller, allow the caller sts:AssumeRole on it, and check that --role-name and --external-id match the role.',
  REGION_DISABLED: 'Enable the region in this account, or leave it out of --regions.',
  THROTTLED:
    'The next run tries again. If this keeps happening, lower --requests-per-second or --concurrency.',
  TIMED_OUT: 'The next run tries again. If this keeps happening, raise --target-timeout.',
  UNREACHABLE:
    'The next run tries again. If this keeps happening, check DNS, routes, the proxy and VPC endpoints for AWS Backup in this region.',
  INTERRUPTED: 'The run was told to stop. The next run reads what is missing.',
  SKIPPED:
    'The run reached its deadline first. The next run reads this target. If this keeps happening, fix the error of the last attempt. If none is shown, raise --deadline or --concurrency.',
  PUBLISH_FAILED:
    'Nothing that was published is lost. Once the cause is fixed, the next run reads and publishes this target again.',
  REJECTED_RECORDS:
    'Some records could not become rows. They are kept unchanged in the lake under _ledger/rejected. Report them, so that a newer version can read them.',
  FAILED: 'The program does not know this error. Check the log lines of this account and region.',
};

/** Where the status is not enough: what the error says besides. */
export const adviceByError: readonly {
  readonly status: CoverageStatus;
  readonly errors: readonly string[];
  readonly text: string;
}[] = [
  {
    // AWS rejected the date of a request.
    status: 'FAILED',
    errors: [
      'RequestExpired',
      'RequestInTheFuture',
      'RequestTimeTooSkewed',
      'InvalidSignatureException',
      'SignatureDoesNotMatch',
    ],
    text: 'AWS rejected the date of the requests, even after it was corrected from AWS’s responses. The next run tries again. If this keeps happening, compare this machine’s clock with the Date header that AWS, or a proxy in between, sends.',
  },
  {
    // The response is older than the run.
    status: 'FAILED',
    errors: ['StaleAnswer'],
    text: 'The response is older than this run, so something between the job and AWS serves old responses. The next run tries again. If this keeps happening, look for a cache.',
  },
  {
    // Nothing was left to read.
    status: 'SKIPPED',
    errors: ['EmptyWindow'],
    text: 'Nothing to do: earlier runs already read past --until. To read this window again, set --since too.',
  },
  {
    // By the run's deadline, not by the target's own limit.
    status: 'TIMED_OUT',
    errors: ['DeadlineReached'],
    text: 'The run reached its deadline first. The next run reads and publishes this target. If this keeps happening, raise --deadline or --concurrency.',
  },
  {
    // The window closed before everything was published.
    status: 'TIMED_OUT',
    errors: ['PublishWindowClosed'],
    text: 'The next run reads and publishes this target. If this keeps happening, start the run earlier, or widen --publish-window.',
  },
  {
    // The region was read before.
    status: 'REGION_DISABLED',
    errors: ['RegionSwitchedOff'],
    text: 'Earlier runs read this region, but AWS now rejects the credentials there that it accepts elsewhere. If the region was disabled on purpose, do nothing: later runs only count it. Otherwise enable it again in this account before AWS deletes its jobs (after about 30 days).',
  },
  {
    // A region refuses credentials that AWS takes elsewhere, and is listed as enabled.
    status: 'UNREACHABLE',
    errors: ['ListedRegionRefuses'],
    text: 'The next run tries again. AWS says two things of this region: it is in the list of enabled regions, and it refuses the account. A region that was enabled or disabled today agrees with the list within hours. If it keeps happening, disable the region, leave it out with --regions, or ask AWS Support.',
  },
  ...networkAdvices.map(({ errors, text }) => ({ status: 'UNREACHABLE' as const, errors, text: `${text}.` })),
];

/**
 * Advice for a (table, target) that ended with this status and error: a few sentences, without semicolons.
 * queries/questions/failing-targets.sql says the same: a test compares them.
 */
export function adviceFor(status: CoverageStatus, errorName: string | null): string {
  const found = adviceByError.find((one) => one.status === status && one.errors.includes(errorName ?? ''));
  return found?.text ?? advice[status];
}
