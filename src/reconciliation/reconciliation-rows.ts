import type { Row } from '../tables/table.ts';
import type { Reconciliation } from './reconcile.ts';

/** The rows for the table export_reconciliation. */
export function* reconciliationRows(
  { slices, countingRule }: Reconciliation,
  run: { readonly runId: string; readonly asOf: number },
): Generator<Row> {
  for (const { target, day, awsJobs, lakeJobs, missing, surplus, differences } of slices) {
    const of = {
      run_id: run.runId,
      as_of: run.asOf,
      account_id: target.accountId,
      account_name: target.accountName,
      region: target.region,
      creation_date: day,
      counting_rule: countingRule,
    };
    yield {
      ...of,
      scope: 'day',
      resource_type: null,
      state: null,
      message_category: null,
      aws_count: awsJobs,
      lake_count: lakeJobs,
      missing_jobs: missing,
      surplus_jobs: surplus,
    };
    for (const one of differences) {
      yield {
        ...of,
        scope: 'kind',
        resource_type: one.kind.resourceType,
        state: one.kind.state,
        message_category: one.kind.category,
        aws_count: one.aws,
        lake_count: one.lake,
        missing_jobs: one.missing,
        surplus_jobs: one.surplus,
      };
    }
  }
}
