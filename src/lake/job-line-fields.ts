/** What a value of a copy job's record becomes in a staged line. */
import { isTerminal } from '../tables/copy-jobs.ts';
import { jobFields } from '../tables/job-fields.ts';
import { firstSight } from '../tables/state-history.ts';
import type { ColumnType, Observation } from '../tables/table.ts';
import { viewOf } from './line-writer.ts';

export interface LineField {
  /** What stands before its value: `,"resource_type":`. */
  readonly head: DataView;
  /** `own`: its column depends on more than this field, and is written apart. */
  readonly writes: ColumnType | 'counts' | 'own';
  /** For a map of counts: the columns of its states. */
  readonly states: ReadonlyMap<string, DataView>;
}

const fixed = (text: string): DataView => viewOf(Buffer.from(text));

const headOf = (column: string): DataView => fixed(`,${JSON.stringify(column)}:`);

/** These columns depend on more than their field. */
const own: ReadonlySet<string> = new Set(['copy_job_id', 'account_id', 'creation_time']);

/** By number, as the scan of a page counts them. */
export const lineFields: readonly LineField[] = jobFields.map(({ column, counts }) => ({
  head: headOf(column.name),
  writes: own.has(column.name) ? 'own' : counts === null ? column.type : 'counts',
  states: new Map([...(counts ?? [])].map(([state, { name }]) => [state, headOf(name)])),
}));

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

/** What every line of a page ends with, around the history of its job. */
export interface PageEnds {
  readonly compared: DataView;
  readonly provenance: DataView;
}

export function pageEnds({ accountId, region, observedAt, runId }: Observation): PageEnds {
  const provenance = {
    first_observed_at: observedAt,
    observed_at: observedAt,
    run_id: runId,
    queried_account_id: accountId,
  };
  return {
    compared: fixed(`,"region":${JSON.stringify(region)}`),
    provenance: fixed(`,${JSON.stringify(provenance).slice(1)}\n`),
  };
}

/** What a state and a message category make of a line. */
export interface StateEnd {
  readonly history: DataView;
  readonly isOver: boolean;
}

export function stateEnd(state: string | null, category: string | null, observation: Observation): StateEnd {
  const { observedAt, runId, openReadAt = null } = observation;
  const seen = { state, message_category: category, observed_at: observedAt, run_id: runId };
  return {
    history: fixed(`,"state_history":${JSON.stringify(firstSight(seen, openReadAt))}`),
    isOver: isTerminal(state) === true,
  };
}

/** The column that the values of `fieldNumbers.cron` and `fieldNumbers.timezone` make. */
export const scheduleHead = headOf('schedule_interval_ms');
export const accountHead = headOf('account_id');
export const creationHead = headOf('creation_time');
export const idHead = fixed('{"copy_job_id":');
