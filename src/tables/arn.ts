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
  // An ARN has five colons before its resource. To split it would take several times as long.
  const region = arn.indexOf(':', arn.indexOf(':', 4) + 1) + 1;
  if (region === 0 || arn.indexOf(':', 4) < 0) return null;
  const account = arn.indexOf(':', region) + 1;
  const resource = account === 0 ? 0 : arn.indexOf(':', account) + 1;
  if (resource === 0) return null;
  return (field === 'region' ? arn.slice(region, account - 1) : arn.slice(account, resource - 1)) || null;
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
