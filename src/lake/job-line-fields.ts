/** What the columns of a copy job's staged line are made of. */
import { copyJobs, isTerminal } from '../tables/copy-jobs.ts';
import { jobFields } from '../tables/job-fields.ts';
import { firstSight } from '../tables/state-history.ts';
import { type Column, type ColumnType, comparedColumns, type Observation } from '../tables/table.ts';
import { viewOf } from './line-writer.ts';
import { lineOf, stagedColumns } from './staged-line.ts';

export interface LineColumn {
  /** `count`: of one state, in a map of counts. */
  readonly writes: ColumnType | 'account' | 'region' | 'counts' | 'count';
  /** The number of the field with its value, as the scan of a page counts them; -1: none has it. */
  readonly field: number;
  /** For `count`. */
  readonly state: string;
}

/** Columns that depend on more than their field. */
const own: Readonly<Record<string, LineColumn['writes']>> = {
  account_id: 'account',
  region: 'region',
};

function lineColumn(column: Column): LineColumn {
  const writes = own[column.name] ?? column.type;
  for (const [field, { column: whole, counts }] of jobFields.entries()) {
    if (whole === column) return { writes: counts === null ? writes : 'counts', field, state: '' };
    for (const [state, one] of counts ?? []) if (one === column) return { writes: 'count', field, state };
  }
  return { writes, field: -1, state: '' };
}

/** The columns of a line that decide about changes, in their order, without the last: the first creation date. */
export const comparedInLine: readonly LineColumn[] = stagedColumns(copyJobs)
  .slice(0, comparedColumns(copyJobs).length - 1)
  .map(lineColumn);

const numberOf = (path: string): number => jobFields.findIndex((field) => field.path === path);

/** The numbers of fields that more than one column needs. */
export const fieldNumbers = {
  id: numberOf('CopyJobId'),
  account: numberOf('AccountId'),
  sourceVault: numberOf('SourceBackupVaultArn'),
  created: numberOf('CreationDate'),
  state: numberOf('State'),
  category: numberOf('MessageCategory'),
  cron: numberOf('CreatedBy.BackupRuleCron'),
  timezone: numberOf('CreatedBy.BackupRuleTimezone'),
} as const;

/** What a state and a message category make of a line. */
export interface StateEnd {
  /** What follows `schedule_interval_ms`, which is the first column that decides about nothing. */
  readonly rest: DataView;
  readonly isOver: boolean;
}

export function stateEnd(state: string | null, category: string | null, observation: Observation): StateEnd {
  const { observedAt, runId, accountId, openReadAt = null } = observation;
  const seen = { state, message_category: category, observed_at: observedAt, run_id: runId };
  const [, rest] = lineOf(copyJobs, {
    first_observed_at: observedAt,
    observed_at: observedAt,
    state_history: firstSight(seen, openReadAt),
    run_id: runId,
    queried_account_id: accountId,
  });
  // Without the separator before the interval, which is null here.
  return { rest: viewOf(Buffer.from(`${rest.slice(1)}\n`)), isOver: isTerminal(state) === true };
}
