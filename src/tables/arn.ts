import type { Row, Value } from './table.ts';

/**
 * Where the region and the account are in an ARN: `arn:<partition>:<service>:<region>:<account>:<resource>`
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html). Fields count from 1, as in SQL's `split_part`.
 */
const arnFields = { region: 4, account: 5 } as const;
type ArnField = keyof typeof arnFields;

/** Null if this is not an ARN, or if the field is empty (ARNs of snapshots and images contain no account). */
export function arnField(arn: Value | undefined, field: ArnField): string | null {
  if (typeof arn !== 'string' || !arn.startsWith('arn:')) return null;
  const fields = arn.split(':');
  if (fields.length < 6) return null;
  return fields[arnFields[field] - 1] || null;
}

/** A derived column that takes one field of the ARN in another column. */
export function fromArn(column: string, field: ArnField) {
  const before = '[^:]*:'.repeat(arnFields[field] - 2);
  const after = ':[^:]*'.repeat(5 - arnFields[field]);
  return {
    kind: 'derived',
    from: (row: Row) => arnField(row[column], field),
    // Splitting the text takes twice the time.
    sql: `nullif(regexp_extract(${column}, '^arn:${before}([^:]*)${after}:', 1), '')`,
  } as const;
}
