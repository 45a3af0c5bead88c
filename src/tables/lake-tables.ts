import { copyJobSummaries } from './copy-job-summaries.ts';
import { copyJobs } from './copy-jobs.ts';
import { exportCoverage } from './export-coverage.ts';
import { exportReconciliation } from './export-reconciliation.ts';
import type { Table } from './table.ts';

/** The tables of a lake. */
export const lakeTables: readonly Table[] = [
  copyJobs,
  copyJobSummaries,
  exportCoverage,
  exportReconciliation,
];
