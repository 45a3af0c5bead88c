"""boto3 as a client of the simulator. One JSON object on stdout: what was found, and every difference.

Arguments: the simulator's endpoint for its controls, its truth file, the reader role's name. The AWS settings
come from the environment.
"""

import datetime
import json
import sys
import urllib.request
from collections import Counter

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, truth_file, reader = sys.argv[1:4]
config = Config(retries={"max_attempts": 1}, parameter_validation=False)
result = {"differences": [], "pages": 0, "errors": {}}


def client(service, region="us-east-1", **credentials):
    return boto3.client(service, region_name=region, config=config, **credentials)


def control(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(endpoint + path, data=data, method=method)
    with urllib.request.urlopen(request) as response:
        response.read()


def on_the_wire(value):
    """What boto3 made of a record, with times in milliseconds."""
    if isinstance(value, datetime.datetime):
        return round(value.timestamp() * 1000)
    if isinstance(value, dict):
        return {key: on_the_wire(item) for key, item in value.items()}
    return value


TIMES = ("CreationDate", "CompletionDate", "StartTime", "EndTime")


def as_truth(record):
    return {key: round(value * 1000) if key in TIMES else value for key, value in record.items()}


def canonical(records):
    return Counter(json.dumps(record, sort_keys=True) for record in records)


def compare(what, found, expected):
    found, expected = canonical(found), canonical(expected)
    for name, rows in (("missing", expected - found), ("unexpected", found - expected)):
        for row in list(rows.elements())[:3]:
            result["differences"].append(f"{what}: {name} {row}")


truth = {"copy_jobs": {}, "copy_job_summaries": {}}
with open(truth_file) as lines:
    for line in lines:
        entry = json.loads(line)
        if entry.get("aggregation_period", "ONE_DAY") == "ONE_DAY":
            place = (entry["account_id"], entry["region"])
            truth[entry["table"]].setdefault(place, []).append(as_truth(entry["record"]))

# Who there is, and where.
sts = client("sts")
own = sts.get_caller_identity()["Account"]
organizations = client("organizations")
accounts = [
    account
    for page in organizations.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 2})
    for account in page["Accounts"]
]
active = sorted(account["Id"] for account in accounts if account.get("State", account["Status"]) == "ACTIVE")


def below(parent):
    children = organizations.get_paginator("list_accounts_for_parent").paginate(ParentId=parent)
    found = [account["Id"] for page in children for account in page["Accounts"]]
    units = organizations.get_paginator("list_organizational_units_for_parent").paginate(ParentId=parent)
    return found + [id for page in units for unit in page["OrganizationalUnits"] for id in below(unit["Id"])]


tree = [id for root in organizations.list_roots()["Roots"] for id in below(root["Id"])]
compare("accounts below the roots", tree, [account["Id"] for account in accounts])
enabled = {"RegionOptStatusContains": ["ENABLED", "ENABLED_BY_DEFAULT"]}
pages = client("account").get_paginator("list_regions").paginate(**enabled)
regions = sorted(region["RegionName"] for page in pages for region in page["Regions"])
compare(
    "regions of EC2 and Account",
    [region["RegionName"] for region in client("ec2").describe_regions()["Regions"]],
    regions,
)
result["accounts"], result["regions"], result["own"] = active, regions, own


def credentials_of(account):
    if account == own:
        return {}
    role = f"arn:aws:iam::{account}:role/{reader}"
    given = sts.assume_role(RoleArn=role, RoleSessionName="peer")["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


def drain(backup, **arguments):
    records = []
    for page in backup.get_paginator("list_copy_jobs").paginate(**arguments):
        result["pages"] += 1
        records += map(on_the_wire, page["CopyJobs"])
    return records


def drain_counts(backup, **arguments):
    """botocore has no paginator for this operation."""
    records = []
    token = {}
    while True:
        page = backup.list_copy_job_summaries(MaxResults=3, **arguments, **token)
        result["pages"] += 1
        records += map(on_the_wire, page["CopyJobSummaries"])
        if not page.get("NextToken"):
            return records
        token = {"NextToken": page["NextToken"]}


# Both operations, whole, in every account and region.
places = [(account, region) for account in active for region in regions]
result["records"] = {"copy_jobs": 0, "copy_job_summaries": 0}
clients = {}
for account, region in places:
    if region == regions[0]:
        credentials = credentials_of(account)
    backup = clients[account, region] = client("backup", region, **credentials)
    jobs = drain(backup, PaginationConfig={"PageSize": 4})
    compare(f"copy jobs of {account} {region}", jobs, truth["copy_jobs"].get((account, region), []))
    counts = drain_counts(
        backup,
        AccountId=account,
        State="ANY",
        ResourceType="ANY",
        MessageCategory="ANY",
        AggregationPeriod="ONE_DAY",
    )
    compare(f"counts of {account} {region}", counts, truth["copy_job_summaries"].get((account, region), []))
    result["records"]["copy_jobs"] += len(jobs)
    result["records"]["copy_job_summaries"] += len(counts)

# Every filter, with values that some job has, against the same filter over the truth.
account, region = max(places, key=lambda place: len(truth["copy_jobs"].get(place, [])))
backup, jobs = clients[account, region], truth["copy_jobs"][account, region]


def moment(milliseconds):
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc)


def some(field):
    values = Counter(job[field] for job in jobs if field in job)
    return values.most_common()[-1][0]


created = sorted(job["CreationDate"] for job in jobs)
completed = sorted(job["CompletionDate"] for job in jobs if "CompletionDate" in job)
# Half a second beside any job: whether the bounds belong to the window is not documented.
middle, end = created[len(created) // 2] + 500, completed[len(completed) // 2] + 500
filters = {
    "ByState": (some("State"), lambda job, value: job["State"] == value),
    "ByResourceType": (some("ResourceType"), lambda job, value: job["ResourceType"] == value),
    "ByResourceArn": (some("ResourceArn"), lambda job, value: job["ResourceArn"] == value),
    "ByDestinationVaultArn": (
        some("DestinationBackupVaultArn"),
        lambda job, value: job["DestinationBackupVaultArn"] == value,
    ),
    "ByAccountId": (account, lambda job, value: job["AccountId"] == value),
    "ByMessageCategory": (some("MessageCategory"), lambda job, value: job.get("MessageCategory") == value),
    "BySourceRecoveryPointArn": (
        some("SourceRecoveryPointArn"),
        lambda job, value: job["SourceRecoveryPointArn"] == value,
    ),
    "ByCreatedAfter": (moment(middle), lambda job, _: job["CreationDate"] > middle),
    "ByCreatedBefore": (moment(middle), lambda job, _: job["CreationDate"] < middle),
    "ByCompleteAfter": (moment(end), lambda job, _: job.get("CompletionDate", 0) > end),
    "ByCompleteBefore": (moment(end), lambda job, _: "CompletionDate" in job and job["CompletionDate"] < end),
}
result["filtered"] = {}
for name, (value, holds) in filters.items():
    found = drain(backup, **{name: value})
    expected = [job for job in jobs if holds(job, value)]
    compare(f"{name}={value}", found, expected)
    result["filtered"][name] = [len(found), len(jobs)]
for parent_place in places:
    parents = [job["ParentJobId"] for job in truth["copy_jobs"].get(parent_place, []) if "ParentJobId" in job]
    if parents:
        found = drain(clients[parent_place], ByParentJobId=parents[0])
        expected = [job for job in truth["copy_jobs"][parent_place] if job.get("ParentJobId") == parents[0]]
        compare("ByParentJobId", found, expected)
        result["filtered"]["ByParentJobId"] = [len(found), len(truth["copy_jobs"][parent_place])]
        break


# Errors, by the codes that clients act on.
def failing(name, call):
    try:
        call()
        result["errors"][name] = "none"
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        has_id = bool(error.response["ResponseMetadata"].get("RequestId"))
        result["errors"][name] = [status, error.response["Error"]["Code"], has_id]


wrong_key = client("backup", aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="wrong")
own_key = boto3.Session().get_credentials()
wrong_secret = {"aws_access_key_id": own_key.access_key, "aws_secret_access_key": "wrong"}
failing("unknown key", lambda: wrong_key.list_copy_jobs())
failing("wrong secret", lambda: client("backup", **wrong_secret).list_copy_jobs())
failing("wrong secret at STS", lambda: client("sts", **wrong_secret).get_caller_identity())
failing("no such state", lambda: backup.list_copy_jobs(ByState="ASLEEP"))
failing("pages too large", lambda: backup.list_copy_jobs(MaxResults=1001))
failing("foreign token", lambda: backup.list_copy_jobs(NextToken="bm9uc2Vuc2U="))
failing("no such role", lambda: sts.assume_role(RoleArn=f"arn:aws:iam::{active[-1]}:role/Nobody", RoleSessionName="peer"))
for kind in ("deny", "disable-region", "throttle", "expired-credentials", "server-error"):
    control("POST", "/_simulator/faults", [{"kind": kind, "account": account, "region": region}])
    failing(kind, lambda: backup.list_copy_jobs())
    failing(f"{kind}, counts", lambda: backup.list_copy_job_summaries())
    control("DELETE", "/_simulator/faults")
failing("after all that", lambda: backup.list_copy_jobs())

print(json.dumps(result))
