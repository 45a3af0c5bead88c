import type { Row, Value } from './table.ts';

/**
 * Where the region and the account are in an ARN: `arn:<partition>:<service>:<region>:<account>:<resource>`
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html). Fields count from 1, as in SQL's `split_part`.
 */
const arnFields = { region: 4, account: 5 } as const;
type ArnField = keyof typeof arnFields;

/** Null for what is not an ARN, and for a part that is empty (snapshot and image ARNs carry no account). */
export function arnField(arn: Value | undefined, part: ArnField): string | null {
  if (typeof arn !== 'string' || !arn.startsWith('arn:')) return null;
  const parts = arn.split(':');
  if (parts.length < 6) return null;
  return parts[arnFields[part] - 1] || null;
}

/** A derived column that takes one part of the ARN in another column. */
export function fromArn(column: string, part: ArnField) {
  return {
    kind: 'derived',
    from: (row: Row) => arnField(row[column], part),
    sql:
      `CASE WHEN starts_with(${column}, 'arn:') AND len(string_split(${column}, ':')) >= 6 ` +
      `THEN nullif(split_part(${column}, ':', ${arnFields[part]}), '') END`,
  } as const;
}
