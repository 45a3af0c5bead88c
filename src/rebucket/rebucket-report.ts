/** The result of `rebucket`. Field names are part of the JSON contract. */
import type { ExitCode } from '../shared/exit-codes.ts';
import { count, grouped } from '../telemetry/paragraphs.ts';

export interface RebucketReport {
  readonly exit_code: ExitCode;
  readonly lake: string;
  /** The numbers of buckets before and after. They are the same if there was nothing to do. */
  readonly from: number;
  readonly to: number;
  readonly partitions: number;
  /** Rows in them; each is in the lake once, before and after. */
  readonly rows: number;
  readonly parts_written: number;
  readonly parts_removed: number;
  /** The run that the ledger names; null: there was nothing to do. */
  readonly run_id: string | null;
}

export function renderRebucket(report: RebucketReport): string {
  const { lake, from, to, partitions, rows, parts_written: written, parts_removed: removed } = report;
  if (report.run_id === null) return `The lake ${lake} has ${count(to, 'bucket')}: nothing to do.\n`;
  return `The lake ${lake} has ${count(to, 'bucket')}, and had ${from}.\n${count(rows, 'row')} in ${count(partitions, 'partition')}: ${count(written, 'part')} written, ${grouped(removed)} removed.\n`;
}
