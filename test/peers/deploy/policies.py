"""Deploys the templates of deploy/ into moto and prints what IAM and S3 then hold, with parliament's findings.

One JSON object on stdout: for every role its trust policy and its permissions, for the bucket its policy,
and a list of findings, each with the policy's name; a list of findings in a policy that is wrong, too.
"""

import ast
import json
import sys
from pathlib import Path

import boto3
import parliament
from cfnlint.decode import decode
from moto import mock_aws

deploy = Path(sys.argv[1])
account = "111122223333"
exporter = f"arn:aws:iam::{account}:role/BackupCopyExporter"
key = f"arn:aws:kms:eu-west-1:{account}:key/12345678-1234-1234-1234-123456789012"

stacks = {
    "lake-bucket": ("iam/lake-bucket.yaml", {"BucketName": "the-lake", "KmsKeyArn": key}),
    "exporter": (
        "iam/exporter.yaml",
        {
            "RunsOn": "ecs",
            "LakeBucketArn": "arn:aws:s3:::the-lake",
            "LakeKmsKeyArn": key,
            "SigningKeyArn": "arn:aws:kms:eu-central-1:999988887777:key/0f1e2d3c-0000-1111-2222-333344445555",
            "WitnessBucketArn": "arn:aws:s3:::the-witness",
            "WitnessPrefix": "lakes/",
        },
    ),
    "exporter-on-eks": (
        "iam/exporter.yaml",
        {"RunsOn": "eks", "LakeBucketArn": "arn:aws:s3:::the-lake", "LakePrefix": "", "RoleName": "OnEks"},
    ),
    "exporter-with-caller": (
        "iam/exporter.yaml",
        {
            "RunsOn": "ecs",
            "LakeBucketArn": "arn:aws:s3:::the-lake",
            "RoleName": "WithCaller",
            "AlsoAssumedBy": f"arn:aws:iam::{account}:role/Pipeline",
        },
    ),
    "exporter-through-roles": (
        "iam/exporter.yaml",
        {
            "RunsOn": "ecs",
            "LakeBucketArn": "arn:aws:s3:::the-lake",
            "RoleName": "ThroughRoles",
            "LakeKmsKeyArn": key,
            "OrganizationRoleArn": "arn:aws:iam::999988887777:role/BackupCopyExportOrganizationReader",
            "LakeRoleArn": "arn:aws:iam::999988887777:role/Lake",
        },
    ),
    "exporter-through-one-role": (
        "iam/exporter.yaml",
        {
            "RunsOn": "ecs",
            "LakeBucketArn": "arn:aws:s3:::the-lake",
            "RoleName": "ThroughOneRole",
            "LakeKmsKeyArn": key,
            "OrganizationRoleArn": "arn:aws:iam::999988887777:role/BackupCopyExportOrganizationReader",
        },
    ),
    "organization-reader": ("iam/organization-reader.yaml", {"ExporterRoleArn": exporter, "ExternalId": "ours"}),
    "member-reader": ("iam/member-reader.yaml", {"ExporterRoleArn": exporter, "ExternalId": "ours"}),
    "member-reader-plain": (
        "iam/member-reader.yaml",
        {"ExporterRoleArn": exporter, "RoleName": "PlainReader"},
    ),
}


def findings(name, document):
    analyzed = parliament.analyze_policy_string(json.dumps(document), ignore_private_auditors=True)
    return [
        {"policy": name, "issue": found.issue, "severity": found.severity, "detail": str(found.detail)}
        for found in map(parliament.enhance_finding, analyzed.findings)
    ]


with mock_aws():
    cloudformation = boto3.client("cloudformation", region_name="us-east-1")
    for name, (template, parameters) in stacks.items():
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=(deploy / template).read_text(),
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
    iam = boto3.client("iam", region_name="us-east-1")
    result = {"roles": {}, "findings": []}
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        documents = [
            iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
        ]
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
            documents.append(
                iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"]
            )
        # moto hands out an inline policy that came from a template as the text of a Python dict.
        documents = [ast.literal_eval(document) if isinstance(document, str) else document for document in documents]
        statements = [statement for document in documents for statement in document["Statement"]]
        # CloudFormation takes AWS::NoValue out of a list; moto leaves a null.
        trust = role["AssumeRolePolicyDocument"]
        trust["Statement"] = [statement for statement in trust["Statement"] if statement is not None]
        result["roles"][name] = {"trust": trust, "statements": statements}
        for document in documents:
            result["findings"] += findings(name, document)
    # moto makes no bucket policies from templates; this one refers to its bucket only.
    template, _ = decode(str(deploy / "iam/lake-bucket.yaml"))
    policy = json.loads(
        json.dumps(template["Resources"]["LakePolicy"]["Properties"]["PolicyDocument"])
        .replace('{"Fn::GetAtt": ["Lake", "Arn"]}', '"arn:aws:s3:::the-lake"')
        .replace('{"Fn::Sub": "${Lake.Arn}/*"}', '"arn:aws:s3:::the-lake/*"')
    )
    result["bucket"] = policy
    result["findings"] += findings("bucket", policy)

# That parliament does find what is wrong.
wrong = {"Effect": "Allow", "Action": "s3:GetObjects", "Resource": "arn:aws:s3:::the-lake/*"}
result["control"] = findings("control", {"Version": "2012-10-17", "Statement": [wrong]})

print(json.dumps(result))
