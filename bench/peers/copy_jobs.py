"""Copy jobs of an organization as flat rows: boto3, its paginator, and threads."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import boto3
import pyarrow as pa
from botocore.config import Config

ROLE = "BackupCopyExportReader"
THREADS = 16
CONFIG = Config(retries={"mode": "adaptive", "max_attempts": 10}, max_pool_connections=THREADS)

TEXT = pa.string()
NUMBER = pa.int64()
TIME = pa.timestamp("ms")

# Column, path of its field, type.
FIELDS = [
    ("copy_job_id", ("CopyJobId",), TEXT),
    ("account_id", ("AccountId",), TEXT),
    ("source_backup_vault_arn", ("SourceBackupVaultArn",), TEXT),
    ("source_recovery_point_arn", ("SourceRecoveryPointArn",), TEXT),
    ("destination_backup_vault_arn", ("DestinationBackupVaultArn",), TEXT),
    ("destination_vault_type", ("DestinationVaultType",), TEXT),
    ("destination_vault_lock_state", ("DestinationVaultLockState",), TEXT),
    ("destination_recovery_point_arn", ("DestinationRecoveryPointArn",), TEXT),
    ("destination_encryption_key_arn", ("DestinationEncryptionKeyArn",), TEXT),
    ("move_to_cold_storage_after_days", ("DestinationRecoveryPointLifecycle", "MoveToColdStorageAfterDays"), NUMBER),
    ("delete_after_days", ("DestinationRecoveryPointLifecycle", "DeleteAfterDays"), NUMBER),
    ("opt_in_to_archive", ("DestinationRecoveryPointLifecycle", "OptInToArchiveForSupportedResources"), pa.bool_()),
    ("delete_after_event", ("DestinationRecoveryPointLifecycle", "DeleteAfterEvent"), TEXT),
    ("resource_arn", ("ResourceArn",), TEXT),
    ("resource_name", ("ResourceName",), TEXT),
    ("resource_type", ("ResourceType",), TEXT),
    ("iam_role_arn", ("IamRoleArn",), TEXT),
    ("backup_size_in_bytes", ("BackupSizeInBytes",), NUMBER),
    ("state", ("State",), TEXT),
    ("status_message", ("StatusMessage",), TEXT),
    ("message_category", ("MessageCategory",), TEXT),
    ("creation_time", ("CreationDate",), TIME),
    ("completion_time", ("CompletionDate",), TIME),
    ("plan_id", ("CreatedBy", "BackupPlanId"), TEXT),
    ("plan_arn", ("CreatedBy", "BackupPlanArn"), TEXT),
    ("plan_name", ("CreatedBy", "BackupPlanName"), TEXT),
    ("plan_version", ("CreatedBy", "BackupPlanVersion"), TEXT),
    ("rule_id", ("CreatedBy", "BackupRuleId"), TEXT),
    ("rule_name", ("CreatedBy", "BackupRuleName"), TEXT),
    ("rule_cron", ("CreatedBy", "BackupRuleCron"), TEXT),
    ("rule_timezone", ("CreatedBy", "BackupRuleTimezone"), TEXT),
    ("created_by_backup_job_id", ("CreatedByBackupJobId",), TEXT),
    ("parent_job_id", ("ParentJobId",), TEXT),
    ("is_parent", ("IsParent",), pa.bool_()),
    ("composite_member_identifier", ("CompositeMemberIdentifier",), TEXT),
    ("number_of_child_jobs", ("NumberOfChildJobs",), NUMBER),
]

SCHEMA = pa.schema(
    [(name, kind) for name, _, kind in FIELDS]
    + [("child_jobs_in_state", TEXT), ("region", TEXT), ("queried_account_id", TEXT), ("creation_date", TEXT)]
)
SORT = ["account_id", "region", "creation_time", "copy_job_id"]

FLAT = [(name, path[0]) for name, path, _ in FIELDS if len(path) == 1]
NESTED = [(name, *path) for name, path, _ in FIELDS if len(path) == 2]
NOTHING = {}


def flatten(job, account, region):
    row = {name: job.get(field) for name, field in FLAT}
    for name, parent, field in NESTED:
        row[name] = job.get(parent, NOTHING).get(field)
    children = job.get("ChildJobsInState")
    row["child_jobs_in_state"] = None if children is None else json.dumps(children)
    row["region"] = region
    row["queried_account_id"] = account
    row["creation_date"] = job["CreationDate"].strftime("%Y-%m-%d")
    return row


def read(regions, batch):
    """Hands each target's rows to `batch`, in the thread that read them, and returns what it made of them."""
    session = boto3.Session()
    sts = session.client("sts")
    here = sts.get_caller_identity()["Account"]
    making_clients = threading.Lock()  # a session is for one thread at a time

    def account_batches(account):
        keys = {}
        if account != here:
            role = f"arn:aws:iam::{account}:role/{ROLE}"
            found = sts.assume_role(RoleArn=role, RoleSessionName="bench")["Credentials"]
            keys = {
                "aws_access_key_id": found["AccessKeyId"],
                "aws_secret_access_key": found["SecretAccessKey"],
                "aws_session_token": found["SessionToken"],
            }
        made = []
        for region in regions:
            with making_clients:
                client = session.client("backup", region_name=region, config=CONFIG, **keys)
            rows = []
            for page in client.get_paginator("list_copy_jobs").paginate(PaginationConfig={"PageSize": 1000}):
                rows.extend(flatten(job, account, region) for job in page["CopyJobs"])
            made.append(batch(rows))
        return made

    pages = session.client("organizations").get_paginator("list_accounts").paginate()
    accounts = [one["Id"] for page in pages for one in page["Accounts"] if one["Status"] == "ACTIVE"]
    with ThreadPoolExecutor(THREADS) as pool:
        return [made for batches in pool.map(account_batches, accounts) for made in batches]
