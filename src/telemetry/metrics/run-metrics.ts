/** The metrics of a run, once: CloudWatch and OpenTelemetry get the same, each with names in its own style. */
import { countTargets } from '../failure-groups.ts';
import type { RunSummary } from '../run-summary.ts';

export type Unit = 'Count' | 'Milliseconds' | 'Bytes' | 'Percent' | 'None';

export interface Metric {
  /** For CloudWatch. */
  readonly name: string;
  /** For OpenTelemetry. */
  readonly otelName: string;
  readonly unit: Unit;
  readonly description: string;
  readonly value: number;
  /** What a metric is split by; absent: the whole run. */
  readonly by?: { readonly dimension: 'Status' | 'Phase'; readonly value: string };
}

/** What a run counted beside its summary. */
export interface Counted {
  /** Requests that AWS throttled. */
  readonly throttles: number;
}

/** The metrics of a run that ended. */
export function runMetrics(summary: RunSummary, { throttles }: Counted): readonly Metric[] {
  const tables = Object.values(summary.tables);
  const total = (count: (table: (typeof tables)[number]) => number) =>
    tables.reduce((sum, table) => sum + count(table), 0);
  const theirs = summary.failures.filter(({ needs_person: needs }) => needs);
  const whole: readonly Metric[] = [
    ...endMetrics(summary.exit_code),
    metric('RunDuration', 'run.duration', 'Milliseconds', 'The time from start to end', summary.duration_ms),
    metric('Targets', 'targets', 'Count', 'Accounts and regions that were planned', summary.targets),
    metric(
      'TargetsFailed',
      'targets.failed',
      'Count',
      'Accounts and regions that were not read or published completely',
      countTargets(summary.failures),
    ),
    metric(
      'TargetsNeedingPerson',
      'targets.needing_person',
      'Count',
      'Of those, the ones that a retry cannot fix',
      countTargets(theirs),
    ),
    metric(
      'LostIntervals',
      'lost_intervals',
      'Count',
      'Intervals that AWS deleted before this run could read them',
      summary.lost_intervals.length,
    ),
    metric('Pages', 'pages', 'Count', 'Pages that were read', summary.reading.pages),
    metric('Rows', 'rows', 'Count', 'Rows that were read', summary.reading.rows),
    metric(
      'RowsAdded',
      'rows.added',
      'Count',
      'Rows that are new in the lake',
      total(({ added }) => added),
    ),
    metric(
      'RowsUpdated',
      'rows.updated',
      'Count',
      'Rows that changed in the lake',
      total(({ updated }) => updated),
    ),
    metric(
      'RowsRejected',
      'rows.rejected',
      'Count',
      'Records that could not become rows',
      total(({ rejected }) => rejected),
    ),
    metric('Retries', 'retries', 'Count', 'Requests that were sent again', summary.reading.retries),
    metric('Throttles', 'throttles', 'Count', 'Requests that AWS throttled', throttles),
    metric(
      'PartsWritten',
      'parts.written',
      'Count',
      'Parquet objects that were written',
      total(({ parts_written: parts }) => parts),
    ),
    metric(
      'BytesWritten',
      'bytes.written',
      'Bytes',
      'Their size',
      total(({ bytes_written: bytes }) => bytes),
    ),
    metric(
      'UnknownFields',
      'unknown_fields',
      'Count',
      'Fields that AWS sends and no column holds',
      Object.values(summary.unknown_fields).reduce((sum, names) => sum + names.length, 0),
    ),
    metric(
      'AlteredRecords',
      'altered_records',
      'Count',
      'Records with a text that had to be changed',
      summary.altered_records,
    ),
  ];
  const loss =
    summary.hours_to_data_loss === null
      ? []
      : [
          metric(
            'HoursToDataLoss',
            'hours_to_data_loss',
            'None',
            'Hours until AWS deletes the first record that no run has read; negative: it has begun',
            summary.hours_to_data_loss,
          ),
        ];
  return [...whole, ...loss, ...reconciliationMetrics(summary), ...splitMetrics(summary)];
}

/** How AWS's own counts differ from the lake; none where nothing was compared. */
function reconciliationMetrics({ reconciliation }: RunSummary): readonly Metric[] {
  if (reconciliation === null) return [];
  const { difference, missing_jobs: missing, surplus_jobs: surplus } = reconciliation;
  return [
    metric(
      'ReconciliationDifference',
      'reconciliation.difference',
      'Percent',
      'Jobs that AWS counts and the lake lacks, or the other way round, as a share of AWS’s jobs',
      difference * 100,
    ),
    metric(
      'MissingJobs',
      'reconciliation.missing_jobs',
      'Count',
      'Jobs that AWS counts and the lake lacks',
      missing,
    ),
    metric(
      'SurplusJobs',
      'reconciliation.surplus_jobs',
      'Count',
      'Rows of the lake that AWS does not count',
      surplus,
    ),
  ];
}

/** The metrics of every run, also of one that could not begin. */
export function endMetrics(exitCode: number): readonly Metric[] {
  return [
    metric('Runs', 'runs', 'Count', 'Runs that ended: 1', 1),
    metric('FailedRuns', 'runs.failed', 'Count', '1 if the exit code is not 0', exitCode === 0 ? 0 : 1),
    metric('ExitCode', 'exit_code', 'None', 'The exit code', exitCode),
  ];
}

function splitMetrics({ coverage, phases_ms: phases }: RunSummary): readonly Metric[] {
  const drains = Object.entries(coverage).map(([status, count]) => ({
    ...metric('Drains', 'drains', 'Count', 'Planned tables of accounts and regions, by status', count),
    by: { dimension: 'Status', value: status } as const,
  }));
  const spent = Object.entries(phases).map(([phase, ms]) => ({
    ...metric('PhaseDuration', 'phase.duration', 'Milliseconds', 'The time that a phase took', ms),
    by: { dimension: 'Phase', value: phase } as const,
  }));
  return [...drains, ...spent];
}

function metric(name: string, otelName: string, unit: Unit, description: string, value: number): Metric {
  return { name, otelName: `backup_copy_export.${otelName}`, unit, description, value };
}
