-- title: Messages of failed copies that AWS documents, with cause and remedy
-- about: One row for each message of AWS Backup that its documentation explains, then one for each message
--   category, and at the end one for everything else. explained_failures gives each failed copy the first
--   row that fits. To teach it another message, add a row here.
-- column: place - 1 — The order in which rows are tried; the first that fits counts.
-- column: message_pattern - %given key id is not accessible% — What the message has to look like, in lower
--   case, for LIKE. Null: the row fits if AWS gave this category.
-- column: category - KmsKeyNotAccessible — The message category, as AWS names it or would.
-- column: cause - The KMS key of the source cannot be used. — What went wrong.
-- column: remedy - Let the key policy of the source allow the destination account. — What a person can do.
-- column: source - https://repost.aws/knowledge-center/backup-cross-account-copy-error — Where AWS documents
--   it.
SELECT
  CAST(place AS bigint) AS place,
  CAST(message_pattern AS varchar) AS message_pattern,
  CAST(category AS varchar) AS category,
  CAST(cause AS varchar) AS cause,
  CAST(remedy AS varchar) AS remedy,
  CAST(source AS varchar) AS source
FROM (
  VALUES
    (
      1,
      '%access denied trying to call aws backup service%',
      'AccessDenied',
      'The destination vault, or the role of the copy, does not allow the copy.',
      'Allow backup:CopyIntoBackupVault for the source account in the access policy of the destination vault, and in the policies of the role.',
      'https://repost.aws/knowledge-center/backup-resolve-access-denied-error'
    ),
    (
      2,
      '%must be a member of the same organization%',
      'AccessDenied',
      'The source and the destination account are not in one organization.',
      'Copy to an account of the same organization, or move one of the accounts.',
      'https://repost.aws/knowledge-center/backup-troubleshoot-cross-account-copy'
    ),
    (
      3,
      '%cross-account copy feature is not enabled%',
      'AccessDenied',
      'The organization does not allow cross-account copies.',
      'Turn on cross-account backup in the settings of AWS Backup, in the management account.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html'
    ),
    (
      4,
      '%cannot be assumed by aws backup%',
      'AccessDenied',
      'AWS Backup cannot assume the role of the copy.',
      'Let the role trust backup.amazonaws.com, or choose another role in the plan.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      5,
      '%images from aws marketplace cannot be copied%',
      'NotSupported',
      'An image from AWS Marketplace cannot be copied to another account.',
      'Leave the instance out of cross-account copies, or rebuild it from an image of your own.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      6,
      '%destination backup vault is encrypted with the default%',
      'KmsKeyNotAccessible',
      'The destination vault is encrypted with the default key of AWS Backup.',
      'Copy to a vault that is encrypted with a customer managed key.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html'
    ),
    (
      7,
      '%snapshots encrypted with the aws managed%',
      'KmsKeyNotAccessible',
      'The source is encrypted with an AWS managed key, which no other account can use.',
      'Encrypt the resource with a customer managed key, and let the key policy allow the destination account.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html#copy-encryption'
    ),
    (
      8,
      '%snapshots with amazon ebs default key cannot be shared%',
      'KmsKeyNotAccessible',
      'The source is encrypted with an AWS managed key, which no other account can use.',
      'Encrypt the resource with a customer managed key, and let the key policy allow the destination account.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html#copy-encryption'
    ),
    (
      9,
      '%given key id is not accessible%',
      'KmsKeyNotAccessible',
      'The destination account cannot use the KMS key of the source.',
      'Let the key policy of the source allow the destination account, and check that both keys are enabled.',
      'https://repost.aws/knowledge-center/backup-cross-account-copy-error'
    ),
    (
      10,
      '%given key id does not exist%',
      'KmsKeyNotAccessible',
      'A KMS key of the copy does not exist.',
      'Check the key of the destination vault and the key of the source.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      11,
      '%source snapshot kms key%',
      'KmsKeyNotAccessible',
      'The destination account cannot use the KMS key of the source.',
      'Let the key policy of the source allow the destination account, and check that both keys are enabled.',
      'https://repost.aws/knowledge-center/backup-cross-account-copy-error'
    ),
    (
      12,
      '%kms key is either disabled or pending deletion%',
      'KmsKeyNotAccessible',
      'A KMS key of the copy is disabled, or will be deleted, or denies access.',
      'Enable the key or cancel its deletion, and check its key policy.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      13,
      '%kms key%',
      'KmsKeyNotAccessible',
      'A KMS key of the copy cannot be used.',
      'Check that the keys of the source and of the destination vault are enabled, and that their key policies allow the copy.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      14,
      '%too many % copies in progress%',
      'LimitExceeded',
      'Too many snapshots were being copied to this region at once.',
      'Spread the schedules of the plans, or ask for a higher quota of concurrent snapshot copies.',
      'https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html'
    ),
    (
      15,
      '%cannot copy more than %snapshots across regions%',
      'LimitExceeded',
      'Too many snapshots were being copied to this region at once.',
      'Spread the schedules of the plans, or ask for a higher quota.',
      'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html'
    ),
    (
      16,
      '%too many copy jobs running for resource%',
      'LimitExceeded',
      'Too many copies of this resource were running at once.',
      'Let fewer rules copy the resource at the same time.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      17,
      '%cannot create more than %snapshots%',
      'LimitExceeded',
      'The destination has as many snapshots as its quota allows.',
      'Shorten the retention, delete snapshots that nobody needs, or ask for a higher quota.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      18,
      '%subscriber limit exceeded%',
      'LimitExceeded',
      'A quota of AWS Backup or of the service was reached.',
      'Spread the schedules of the plans, or ask for a higher quota.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      19,
      '%snapshot limit exceeded%',
      'LimitExceeded',
      'A quota of snapshots was reached.',
      'Delete snapshots that nobody needs, or ask for a higher quota.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      20,
      '%in-progress snapshots%',
      'LimitExceeded',
      'Too many snapshots of one volume were being made at once.',
      'Spread the schedules of the plans.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      21,
      '%concurrent snapshots on an ebs volume%',
      'LimitExceeded',
      'Too many snapshots of one volume were being made at once.',
      'Spread the schedules of the plans.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      22,
      '%more than 50 %tags%',
      'LimitExceeded',
      'The copy would have more than 50 tags.',
      'Remove tags from the resource or from the rule.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      23,
      '%reached your quota%',
      'LimitExceeded',
      'A quota of the service was reached in the destination region.',
      'Delete what nobody needs there, or ask for a higher quota.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      24,
      '%retention%not within the range%',
      'InvalidParameters',
      'The retention of the copy is outside what the lock of the destination vault allows.',
      'Give the copy action a retention between the minimum and the maximum of the vault, or choose another vault.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html'
    ),
    (
      25,
      '%retention%minimum%',
      'InvalidParameters',
      'The retention of the copy is shorter than the lock of the destination vault allows.',
      'Give the copy action a longer retention, or choose another vault.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html'
    ),
    (
      26,
      '%retention%maximum%',
      'InvalidParameters',
      'The retention of the copy is longer than the lock of the destination vault allows.',
      'Give the copy action a shorter retention, or choose another vault.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html'
    ),
    (
      27,
      '%feature is not supported for provided resource type%',
      'NotSupported',
      'AWS Backup cannot copy this type of resource to this account or region in one step.',
      'Copy to another region and to another account one after the other, or see which types the region supports.',
      'https://repost.aws/knowledge-center/backup-troubleshoot-cross-account-copy'
    ),
    (
      28,
      '%require a user-created backup vault and key%',
      'NotSupported',
      'Copies of Storage Gateway need a vault and a key of your own at the destination.',
      'Create a vault with a customer managed key there, and copy to it.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      29,
      '%unsupported resource type%',
      'NotSupported',
      'AWS Backup cannot copy this type of resource there.',
      'See which types and regions AWS Backup supports, and change the copy action.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-feature-availability.html'
    ),
    (
      30,
      '%cold storage%',
      'NotSupported',
      'The recovery point is in cold storage, from where it cannot be copied.',
      'Copy recovery points before they move to cold storage.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/recov-point-create-a-copy.html'
    ),
    (
      31,
      '%recovery point%not found%',
      'ResourceNotFound',
      'The source recovery point no longer exists: its lifecycle ended, or somebody deleted it.',
      'Keep source recovery points until their copies are made, and see who deletes them.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      32,
      '%cannot find recovery point%',
      'ResourceNotFound',
      'The source recovery point no longer exists: its lifecycle ended, or somebody deleted it.',
      'Keep source recovery points until their copies are made, and see who deletes them.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      33,
      '%could not find%',
      'ResourceNotFound',
      'Something that the copy needs no longer exists.',
      'Check that the source recovery point and the destination vault exist.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      34,
      '%resource not found%',
      'ResourceNotFound',
      'Something that the copy needs no longer exists.',
      'Check that the source recovery point and the destination vault exist.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      35,
      '%no longer available%',
      'ResourceNotFound',
      'Something that the copy needs no longer exists.',
      'Check that the source recovery point and the destination vault exist.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      36,
      '%does not exist%',
      'ResourceNotFound',
      'Something that the copy needs does not exist.',
      'Check that the source recovery point and the destination vault exist.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      37,
      '%not in%available state%',
      'InvalidState',
      'The source was not available when the copy began.',
      'Look at the state of the resource. The next copy may succeed.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      38,
      '%access denied%',
      'AccessDenied',
      'A permission for the copy is missing.',
      'Check the policies of the role, the access policy of the destination vault and service control policies.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      39,
      '%not authorized to%',
      'AccessDenied',
      'A permission for the copy is missing.',
      'Check the policies of the role, the access policy of the destination vault and service control policies.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      40,
      '%does not have permission%',
      'AccessDenied',
      'A permission for the copy is missing.',
      'Check the policies of the role, the access policy of the destination vault and service control policies.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      41,
      '%missing permission%',
      'AccessDenied',
      'A permission for the copy is missing.',
      'Check the policies of the role, the access policy of the destination vault and service control policies.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      42,
      '%expired before completion%',
      'JobExpired',
      'The job did not end within its window.',
      'Give the plan a longer window, or spread its schedules.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      43,
      '%token expired%',
      'InternalError',
      'AWSs own credentials for the job expired.',
      'Copy the recovery point again.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      44,
      '%encountered a fatal error%',
      'InternalError',
      'AWS Backup failed for a reason that it does not tell.',
      'Copy the recovery point again. If that fails too, ask AWS Support, with the id of the job.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      45,
      '%internal error%',
      'InternalError',
      'AWS Backup failed for a reason that it does not tell.',
      'Copy the recovery point again. If that fails too, ask AWS Support, with the id of the job.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html#problematic-reasons'
    ),
    (
      46,
      NULL,
      'AccessDenied',
      'A permission for the copy is missing.',
      'Check the policies of the role, the access policy of the destination vault and service control policies.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/access-control.html'
    ),
    (
      47,
      NULL,
      'InvalidParameters',
      'A setting of the copy does not fit the resource or the destination.',
      'Read the message, and correct the copy action of the plan.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CopyAction.html'
    ),
    (
      48,
      NULL,
      'LimitExceeded',
      'A quota was reached.',
      'Spread the schedules of the plans, or ask for a higher quota.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/aws-backup-limits.html'
    ),
    (
      49,
      NULL,
      'KmsKeyNotAccessible',
      'A KMS key of the copy cannot be used.',
      'Check that the keys of the source and of the destination vault are enabled, and that their key policies allow the copy.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html#copy-encryption'
    ),
    (
      50,
      NULL,
      'ResourceNotFound',
      'Something that the copy needs does not exist.',
      'Check that the source recovery point and the destination vault exist.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/troubleshooting.html'
    ),
    (
      51,
      '%',
      'unknown',
      'No cause is documented for this message.',
      'Read the message. If it does not help, ask AWS Support, with the id of the job.',
      'https://docs.aws.amazon.com/aws-backup/latest/devguide/troubleshooting.html'
    )
) AS known (place, message_pattern, category, cause, remedy, source)
