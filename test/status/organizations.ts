/** Organizations to make reports of, without a lake: mostly well, with one of each kind of trouble. */
import type { CoverageFacts, DrainFacts, EndedRun } from '../../src/status/coverage-facts.ts';
import { type Facts, makeReport, type ReportLimits } from '../../src/status/make-report.ts';
import type { CopiesOfDay, StatusReport } from '../../src/status/status-report.ts';

export const hour = 3_600_000;
export const day = 24 * hour;
/** The last run; the report speaks of seven hours later. */
export const lastRun = Date.parse('2026-11-21T02:00:00Z');
export const now = lastRun + 7 * hour;

export const limits: ReportLimits = {
  warnWithinMs: 48 * hour,
  staleAfterMs: 36 * hour,
  lostSince: null,
  excludeAccounts: [],
};

const tables = ['copy_jobs', 'copy_job_summaries'] as const;
const memory = { copy_jobs: 35 * day, copy_job_summaries: 14 * day };

/** A run each night for 120 nights. */
const runs: readonly EndedRun[] = Array.from({ length: 120 }, (_, at) => {
  const asOf = lastRun - (119 - at) * day;
  return {
    runId: runId(asOf),
    asOf,
    rememberedFrom: {
      copy_jobs: asOf - memory.copy_jobs,
      copy_job_summaries: asOf - memory.copy_job_summaries,
    },
  };
});

export function runId(asOf: number): string {
  return `019a0000-0000-7000-8000-${String(asOf / hour).padStart(12, '0')}`;
}

const first = lastRun - 119 * day;
const names = [
  'payments',
  'ledger',
  'claims',
  'archive',
  'web',
  'data-lake',
  'identity',
  'billing',
  'search',
];
const stages = ['prod', 'test', 'dev'];
const regionNames = [
  ...[
    'us-east-1',
    'us-east-2',
    'us-west-1',
    'us-west-2',
    'eu-west-1',
    'eu-west-2',
    'eu-west-3',
    'eu-north-1',
  ],
  ...['eu-central-1', 'ap-south-1', 'ap-southeast-1', 'ap-southeast-2', 'ap-northeast-1', 'ap-northeast-2'],
  ...['ap-northeast-3', 'ca-central-1', 'sa-east-1'],
];

export function well(
  table: DrainFacts['table'],
  accountId: string,
  region: string,
  firstAsked = first,
): DrainFacts {
  return {
    table,
    accountId,
    region,
    firstAsked,
    lastAsked: lastRun,
    lastGood: lastRun,
    failingSince: null,
    last: { runId: runId(lastRun), asOf: lastRun, status: 'OK', errorName: null, errorMessage: null },
    proven: [{ from: firstAsked - memory[table], to: lastRun }],
  };
}

/** Read well up to `readTo`, and failing since the night after. */
export function failing(
  drain: DrainFacts,
  readTo: number,
  status: string,
  errorName: string,
  errorMessage: string,
): DrainFacts {
  return {
    ...drain,
    lastGood: readTo,
    failingSince: readTo + day,
    last: { runId: runId(lastRun), asOf: lastRun, status, errorName, errorMessage },
    proven: [{ from: drain.firstAsked - memory[drain.table], to: readTo }],
  };
}

/** @param change replaces some drains; return the drain itself to keep it */
export function organization(
  accounts: number,
  regions: number,
  change: (drain: DrainFacts, account: number, region: number) => DrainFacts = (drain) => drain,
): Facts {
  const ids = Array.from({ length: accounts }, (_, at) => String(100_000_000_000 + at * 7_919_111));
  const drains = ids.flatMap((id, account) =>
    regionNames
      .slice(0, regions)
      .flatMap((name, region) => tables.map((table) => change(well(table, id, name), account, region))),
  );
  const coverage: CoverageFacts = {
    drains,
    runs,
    accountNames: new Map(
      ids.map((id, at) => [
        id,
        `${names[at % names.length]}-${stages[Math.floor(at / names.length) % 3]}${at < 27 ? '' : `-${Math.floor(at / 27)}`}`,
      ]),
    ),
  };
  return {
    lake: 's3://example-backup-record/lake',
    now,
    coverage,
    unfinished: [],
    plannedNoMore: new Set(),
    acknowledged: { last: null, includes: () => false },
    copies: { copies: copies(accounts, regions), openJobs: new Map([[`${ids[0]}/us-east-1`, 17]]) },
    endsUnknown: { byTarget: new Map(), since: '2026-10-18' },
    unread: [],
    checkpoints: null,
    recordAgainstAws: {
      compared: accounts * regions * 13,
      last_compared_at: new Date(lastRun).toISOString(),
      missing_jobs: 0,
      surplus_jobs: 0,
      differences: [],
    },
  };
}

/** One of each kind of trouble, in some accounts of many. */
export function withTrouble(accounts: number, regions: number): StatusReport {
  const share = Math.max(1, Math.round(accounts / 60));
  const facts = organization(accounts, regions, (drain, account, region) => {
    const role = 'User: arn:aws:iam::999900001111:role/exporter is not authorized to perform: sts:AssumeRole';
    if (account < share) return failing(drain, lastRun - 6 * day, 'ASSUME_ROLE_FAILED', 'AccessDenied', role);
    if (account < 2 * share) {
      return failing(
        drain,
        lastRun - 33 * day,
        'ACCESS_DENIED',
        'AccessDeniedException',
        'with an explicit deny in a service control policy <script>alert("policy")</script>',
      );
    }
    if (account === 2 * share && region === regions - 1) {
      return failing(
        drain,
        lastRun - 2 * day,
        'UNREACHABLE',
        'TimeoutError',
        'connect ETIMEDOUT 10.20.30.40:443',
      );
    }
    if (account === 2 * share + 1) {
      const healed = well(drain.table, drain.accountId, drain.region);
      const lost = { from: lastRun - 61 * day, to: lastRun - 21 * day - memory.copy_jobs };
      const [whole] = healed.proven;
      if (whole === undefined || drain.table === 'copy_job_summaries') return healed;
      return {
        ...healed,
        proven: [
          { ...whole, to: lost.from },
          { from: lost.to, to: whole.to },
        ],
      };
    }
    return drain;
  });
  const [account = ''] = facts.coverage.accountNames.keys();
  const difference = {
    day: new Date(lastRun - 5 * day).toISOString().slice(0, 10),
    account_id: account,
    account_name: facts.coverage.accountNames.get(account) ?? null,
    region: 'us-east-1',
    aws_count: 1_041,
    lake_count: 1_038,
    missing_jobs: 3,
    surplus_jobs: 0,
    compared_at: new Date(lastRun).toISOString(),
  };
  const recordAgainstAws = { ...facts.recordAgainstAws, missing_jobs: 3, differences: [difference] };
  return makeReport({ ...facts, recordAgainstAws }, limits);
}

function copies(accounts: number, regions: number): Facts['copies']['copies'] {
  const days = Array.from({ length: 35 }, (_, at): CopiesOfDay => {
    const jobs = accounts * (9 + ((at * 5) % 4)) - (at % 7 < 2 ? accounts * 4 : 0);
    const failed = Math.round(jobs * (0.03 + 0.02 * Math.abs(Math.sin(at * 1.7)) + (at === 21 ? 0.11 : 0)));
    const stillOpen = at > 32 ? Math.round(jobs * 0.3 * (at - 32)) : 0;
    const completed = jobs - failed - stillOpen;
    return {
      day: new Date(lastRun - (34 - at) * day).toISOString().slice(0, 10),
      jobs,
      completed,
      failed,
      partly_done: 0,
      still_open: stillOpen,
      success_percent: Math.round((completed / (completed + failed)) * 10_000) / 100,
    };
  });
  const failed = days.reduce((sum, one) => sum + one.failed, 0);
  const categories = [
    ['AccessDenied', 0.42, 'A permission for the copy is missing.', 'Check the policies of the role.'],
    ['InvalidParameters', 0.2, 'A parameter of the copy does not fit.', 'Check the rule and its vaults.'],
    ['VssError', 0.1, 'The snapshot of a Windows volume failed.', 'Check the VSS agent of the instance.'],
    [null, 0.28, null, null],
  ] as const;
  const some = regionNames.slice(0, Math.min(regions, 6));
  return {
    days,
    failures_by_category: categories
      .map(([category, share, cause, remedy]) => ({
        message_category: category,
        cause,
        remedy,
        categorized_by_aws: category === null ? 0 : 1,
        failed: Math.round(failed * share),
        accounts: Math.max(1, Math.round(accounts * share)),
      }))
      .sort((a, b) => b.failed - a.failed),
    routes: some.flatMap((source, from) =>
      some.flatMap((destination, to) =>
        (from + to) % 3 === 2
          ? []
          : [
              {
                source_region: source,
                destination_region: destination,
                jobs: accounts * (((from * 7 + to * 3) % 23) + 1),
                failed: (from + to) % 4 === 0 ? Math.ceil(accounts / 5) : 0,
              },
            ],
      ),
    ),
  };
}
