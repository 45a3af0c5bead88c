/** The messages of failed copies that AWS documents: each is recognized, and each has a cause, a remedy and a source. */

import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadViews } from '../../src/questions/questions.ts';

let connection: DuckDBConnection;

/** Views over copies that consist of a message and a category. */
beforeAll(async () => {
  connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(
    'CREATE TABLE leaf_copies (copy_job_id VARCHAR, creation_date VARCHAR, state VARCHAR, message_category VARCHAR, status_message VARCHAR)',
  );
  for (const name of ['known_failures', 'explained_failures']) {
    const sql = loadViews().find((view) => view.name === name)?.sql;
    await connection.run(`CREATE VIEW ${name} AS ${sql}`);
  }
});
afterAll(() => connection?.closeSync());

async function explained(message: string | null, category: string | null = null) {
  await connection.run('DELETE FROM leaf_copies');
  await connection.run("INSERT INTO leaf_copies VALUES ('1', '2026-11-20', 'FAILED', $1, $2)", [
    category,
    message,
  ]);
  const reader = await connection.runAndReadAll('SELECT * FROM explained_failures');
  const rows = reader.getRowObjectsJS();
  expect(rows).toHaveLength(1);
  return rows[0] ?? {};
}

// https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons
it.each([
  ['AccessDenied', 'Access Denied trying to call AWS Backup service'],
  [
    'AccessDenied',
    'Copy job failed. Both source and destination account must be a member of the same organization.',
  ],
  [
    'AccessDenied',
    'Copy job failed. Cross-account copy feature is not enabled for the current organization.',
  ],
  ['AccessDenied', 'IAM Role arn:aws:iam::1:role/r cannot be assumed by AWS Backup'],
  ['AccessDenied', 'User: arn:aws:sts::1:x is not authorized to perform: ec2:CopySnapshot'],
  [
    'KmsKeyNotAccessible',
    'Copy job failed because the destination Backup vault is encrypted with the default Backup service managed key. The contents of this vault cannot be copied.',
  ],
  [
    'KmsKeyNotAccessible',
    "Snapshots encrypted with the AWS managed key can't be shared. Specify another snapshot.",
  ],
  [
    'KmsKeyNotAccessible',
    "Snapshots encrypted with the AWS Managed CMK can't be shared. Specify another snapshot.",
  ],
  ['KmsKeyNotAccessible', 'Encrypted snapshots with Amazon EBS default key cannot be shared'],
  [
    'KmsKeyNotAccessible',
    'AMI snapshot copy failed with error: Given key ID is not accessible. You must have DescribeKey permissions on the default key',
  ],
  ['KmsKeyNotAccessible', 'KMS key is either disabled or pending deletion or access to KMS key is denied'],
  [
    'KmsKeyNotAccessible',
    'The source snapshot KMS key [arn:aws:kms:eu-central-1:111111111111:key/1]\ndoes not exist, is not enabled or you do not have permissions to access it.',
  ],
  ['LimitExceeded', 'Too many snapshot copies in progress. The limit is 20 for this destination region.'],
  ['LimitExceeded', 'There are too many copy jobs running for resource.'],
  ['LimitExceeded', 'Cannot create more than 20 user snapshots'],
  [
    'InvalidParameters',
    'Copy job failed. The retention specified in the job is not within the range specified for the target Backup Vault.',
  ],
  [
    'NotSupported',
    'Copy job from us-west-2 to us-east-1 cannot be initiated for RDS resources. Feature is not supported for provided resource type.',
  ],
  [
    'NotSupported',
    'UnsupportedOperation : Storage Gateway backup copies require a user-created backup vault and key at destination.',
  ],
  ['ResourceNotFound', 'Cannot find recovery point.'],
  ['ResourceNotFound', 'Table not found: it does not exist'],
  ['InternalError', 'Copy job encountered a fatal error. Please contact AWS Support for further assistance.'],
  ['InternalError', 'An internal error occurred.'],
])('%s: %s', async (category, message) => {
  for (const text of [message, message.toUpperCase(), `Copy 1: ${message}\nmore`]) {
    expect(await explained(text)).toMatchObject({ failure_category: category, category_from: 'message' });
  }
});

it('says unknown for a message that nobody documents, and for none', async () => {
  for (const message of ['The moon was in the way.', '', null]) {
    const row = await explained(message);
    expect(row).toMatchObject({ failure_category: 'unknown', category_from: 'nobody' });
    expect(row.remedy).toContain('AWS Support');
  }
});

it('keeps AWS’s category, and explains it if the message does not', async () => {
  const known = await explained('The moon was in the way.', 'ACCESSDENIED');
  expect(known).toMatchObject({ failure_category: 'ACCESSDENIED', category_from: 'AWS' });
  expect(known.cause).toBe('A permission for the copy is missing.');
  const clearer = await explained('Access Denied trying to call AWS Backup service', 'AccessDenied');
  expect(clearer.remedy).toContain('backup:CopyIntoBackupVault');
  const strange = await explained('The moon was in the way.', 'Newer 🆕');
  expect(strange).toMatchObject({ failure_category: 'Newer 🆕', category_from: 'AWS' });
  expect(strange.cause).toContain('No cause is documented');
});

it('gives every row a cause, a remedy, and a page of AWS; every pattern is in lower case, and reached', async () => {
  const reader = await connection.runAndReadAll('SELECT * FROM known_failures ORDER BY place');
  const rows = reader.getRowObjectsJS();
  expect(rows.map(({ place }) => Number(place))).toEqual(rows.map((_, at) => at + 1));
  for (const { message_pattern: pattern, cause, remedy, source } of rows) {
    expect(String(cause)).toMatch(/\.$/);
    expect(String(remedy)).toMatch(/\.$/);
    expect(String(source)).toMatch(/^https:\/\/(docs\.aws\.amazon\.com|repost\.aws)\//);
    if (pattern === null || pattern === '%') continue;
    expect(pattern).toBe(String(pattern).toLowerCase());
    const row = await explained(String(pattern).replaceAll('%', ' x '));
    expect(row.cause, String(pattern)).toBe(cause);
  }
  expect(rows.at(-1)).toMatchObject({ message_pattern: '%', category: 'unknown' });
});
