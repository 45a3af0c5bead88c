/** One page's records: those that become rows, and those that are kept raw. */
import { isTooLong, longestStagedLine } from '../lake/staged-line.ts';
import type { Planned } from '../ledger/planned.ts';
import type { RejectedRecord } from '../ledger/rejected.ts';
import type { Page } from '../source/source.ts';
import type { Normalized, Row } from '../tables/table.ts';

export interface PageRows {
  readonly rows: readonly Row[];
  /** Records that became no row, or one that differs from them. */
  readonly kept: readonly RejectedRecord[];
  /** Fields of the records that no column takes. */
  readonly unknownFields: readonly string[];
}

/** @param records those of the page's records that are to become rows */
export function rowsOf(
  page: Omit<Page, 'records'>,
  records: readonly unknown[],
  { table, target }: Planned,
  normalize: (record: unknown) => Normalized,
): PageRows {
  const rows: Row[] = [];
  const kept: RejectedRecord[] = [];
  const unknownFields: string[] = [];
  const keep = (record: unknown, reason: string, published: boolean): void => {
    kept.push({
      table,
      account_id: target.accountId,
      region: target.region,
      observed_at: new Date(page.observedAt).toISOString(),
      request_id: page.requestId,
      reason,
      published,
      record,
    });
  };
  for (const record of records) {
    const normalized = normalize(record);
    if ('rejected' in normalized) {
      keep(record, normalized.rejected, false);
      continue;
    }
    if (isTooLong(normalized.row)) {
      keep(record, `the record makes a row of more than ${longestStagedLine / 2 ** 20} MiB`, false);
      continue;
    }
    rows.push(normalized.row);
    unknownFields.push(...normalized.unknownFields);
    const reason = alteredBecause(record, normalized.alteredFields, page);
    if (reason !== null) keep(record, reason, true);
  }
  return { rows, kept, unknownFields };
}

/** Why the row's text differs from the record's; null: it does not. */
function alteredBecause(
  record: unknown,
  fields: readonly string[],
  { repaired }: Pick<Page, 'repaired'>,
): string | null {
  if (fields.length > 0) {
    return `${fields.join(', ')}: not well-formed Unicode; the row has U+FFFD in its place`;
  }
  return repaired && JSON.stringify(record).includes('\ufffd')
    ? 'the response was not UTF-8; the row, and this record, have U+FFFD where it was not'
    : null;
}
