import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { exitCodes } from '../../../src/shared/exit-codes.ts';
import { goCommand } from '../go.ts';
import { pythonPeers } from '../python.ts';
import { actionsUsed, root, settingsOf } from './program.ts';

/** Newer than the oldest Kubernetes that knows all fields used (podFailurePolicy is stable since 1.31). */
const kubernetes = ['v1.31.0', 'v1.37.0'];
const kubeconform = {
  module: 'github.com/yannh/kubeconform/cmd/kubeconform',
  version: 'v0.7.0',
  name: 'kubeconform',
};
const manifest = join(root, 'deploy/kubernetes/backup-copy-export.yaml');
/** The account that moto deploys stacks in: https://docs.getmoto.org/en/latest/docs/multi_account.html */
const stackAccount = '123456789012';
/** After SIGTERM the program ends within this time. */
const stopsWithinSeconds = 20;
/** After its --deadline the program ends within this time. */
const endsAfterDeadlineSeconds = 60;

let python: string;
let folder: string;

beforeAll(async () => {
  python = await pythonPeers();
  folder = await mkdtemp(join(tmpdir(), 'bce-deploy-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Principal?: unknown;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: unknown;
}

interface Deployed {
  readonly roles: Readonly<
    Record<
      string,
      {
        readonly trust: { readonly Statement: readonly Statement[] };
        readonly statements: readonly Statement[];
      }
    >
  >;
  readonly bucket: { readonly Statement: readonly Statement[] };
  readonly findings: readonly unknown[];
  readonly control: readonly unknown[];
}

describe('the CloudFormation templates', () => {
  let deployed: Deployed;
  beforeAll(async () => {
    const script = join(import.meta.dirname, 'policies.py');
    const done = await ended(join(python, 'python'), ['-W', 'ignore', script, join(root, 'deploy')]);
    expect(done.exitCode, done.stderr).toBe(0);
    deployed = JSON.parse(done.stdout);
  });

  it('pass cfn-lint without a warning', async () => {
    const templates = (await readdir(join(root, 'deploy'), { recursive: true }))
      .filter((name) => /^((iam|ecs|batch)\/.+|alarms)\.yaml$/.test(name))
      .map((name) => join(root, 'deploy', name));
    expect(templates).toHaveLength(9);
    const clean = await ended(join(python, 'cfn-lint'), ['--include-checks', 'I', '--', ...templates]);
    expect(clean).toEqual({ exitCode: 0, stdout: '', stderr: '' });

    const misspelt = join(folder, 'misspelt.yaml');
    const template = await readFile(join(root, 'deploy/iam/exporter.yaml'), 'utf8');
    await writeFile(misspelt, template.replace('s3:AbortMultipartUpload', 's3:AbortMultipartUploads'));
    expect((await ended(join(python, 'cfn-lint'), [misspelt])).exitCode).not.toBe(0);
  });

  it('hold policies in which parliament finds nothing', () => {
    expect(deployed.findings).toEqual([]);
    expect(deployed.control).toEqual([expect.objectContaining({ issue: 'UNKNOWN_ACTION' })]);
  });

  it('give the exporter exactly the actions that the program uses, and those of its key', async () => {
    const used = [...(await actionsUsed()), 'kms:Decrypt', 'kms:GenerateDataKey'].sort();
    expect(actionsOf(deployed.roles.BackupCopyExporter?.statements)).toEqual(used);
  });

  it('give no key where there is none', async () => {
    const used = (await actionsUsed()).filter((action) => !action.startsWith('kms:'));
    expect(actionsOf(deployed.roles.OnEks?.statements)).toEqual(used);
  });

  it('let the exporter sign with one key, and add to the witness without reading it', () => {
    const statements = deployed.roles.BackupCopyExporter?.statements ?? [];
    expect(statements).toContainEqual(
      expect.objectContaining({
        Action: ['kms:GetPublicKey', 'kms:Sign'],
        Resource: 'arn:aws:kms:eu-central-1:999988887777:key/0f1e2d3c-0000-1111-2222-333344445555',
      }),
    );
    const atWitness = statements.filter(({ Resource }) => String(Resource).includes(':the-witness'));
    expect(atWitness).toEqual([
      expect.objectContaining({
        Action: 's3:PutObject',
        Resource: 'arn:aws:s3:::the-witness/lakes/_ledger/checkpoints/*',
      }),
    ]);
  });

  it('give the reader exactly the AWS Backup actions that the program uses', async () => {
    const used = (await actionsUsed()).filter((action) => action.startsWith('backup:'));
    expect(used).toHaveLength(2);
    expect(actionsOf(deployed.roles.BackupCopyExportReader?.statements)).toEqual(used);
    expect(actionsOf(deployed.roles.PlainReader?.statements)).toEqual(used);
  });

  it('never allow by wildcard, but for actions that know no resource and for account ids', () => {
    const statements = Object.values(deployed.roles).flatMap((role) => role.statements);
    expect(statements.flatMap(({ Action }) => Action).filter((action) => action.includes('*'))).toEqual([]);
    const everywhere = statements.filter(({ Resource }) => [Resource].flat().includes('*'));
    expect(actionsOf(everywhere)).toEqual([
      'account:ListRegions',
      'backup:ListCopyJobSummaries',
      'backup:ListCopyJobs',
      'ec2:DescribeRegions',
      'organizations:ListAccounts',
      'organizations:ListAccountsForParent',
      'organizations:ListOrganizationalUnitsForParent',
    ]);
  });

  it('let the exporter assume reader roles of its own organization only', () => {
    const assume = deployed.roles.BackupCopyExporter?.statements.filter(
      ({ Action }) => Action === 'sts:AssumeRole',
    );
    expect(assume).toEqual([
      expect.objectContaining({
        Resource: 'arn:aws:iam::*:role/BackupCopyExportReader',
        Condition: { StringEquals: { 'aws:ResourceOrgID': `\${aws:PrincipalOrgID}` } },
      }),
    ]);
  });

  it('let the exporter assume the roles for the organization and the lake where they are named, by name', () => {
    const assume = deployed.roles.ThroughRoles?.statements.filter(
      ({ Action }) => Action === 'sts:AssumeRole',
    );
    expect(assume?.map(({ Resource }) => Resource).sort()).toEqual([
      'arn:aws:iam::*:role/BackupCopyExportReader',
      'arn:aws:iam::999988887777:role/BackupCopyExportOrganizationReader',
      'arn:aws:iam::999988887777:role/Lake',
    ]);
  });

  it('leave to those roles what is theirs to do: the exporter may not ask Organizations, nor touch lake or key', async () => {
    // A key that signs is named for one of the roles only.
    const own = (await actionsUsed()).filter((action) => !/^(organizations|s3|kms):/.test(action));
    expect(own).toEqual([
      'account:ListRegions',
      'backup:ListCopyJobSummaries',
      'backup:ListCopyJobs',
      'ec2:DescribeRegions',
      'sts:AssumeRole',
    ]);
    expect(actionsOf(deployed.roles.ThroughRoles?.statements)).toEqual(own);
    const all = actionsOf(deployed.roles.BackupCopyExporter?.statements);
    expect(actionsOf(deployed.roles.ThroughOneRole?.statements)).toEqual(
      all.filter((action) => !/^(organizations|kms):(?!GenerateDataKey|Decrypt)/.test(action)),
    );
  });

  it('give the organization reader exactly the actions of Organizations that the program uses', async () => {
    const used = (await actionsUsed()).filter((action) => action.startsWith('organizations:'));
    expect(used).toHaveLength(3);
    expect(actionsOf(deployed.roles.BackupCopyExportOrganizationReader?.statements)).toEqual(used);
  });

  it('let tasks or pods of the own account become the exporter, and nobody else unless named', () => {
    const trusted = (role: string) =>
      deployed.roles[role]?.trust.Statement.map(({ Principal, Condition }) => ({ Principal, Condition }));
    const ofThisAccount = { StringEquals: { 'aws:SourceAccount': stackAccount } };
    const tasks = { Principal: { Service: 'ecs-tasks.amazonaws.com' }, Condition: ofThisAccount };
    expect(trusted('BackupCopyExporter')).toEqual([tasks]);
    expect(trusted('OnEks')).toEqual([
      { Principal: { Service: 'pods.eks.amazonaws.com' }, Condition: ofThisAccount },
    ]);
    expect(trusted('WithCaller')).toEqual([
      tasks,
      {
        Principal: { AWS: `arn:aws:iam::${stackAccount}:root` },
        Condition: { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/Pipeline' } },
      },
    ]);
    expect(actionsOf(deployed.roles.WithCaller?.trust.Statement)).toEqual(['sts:AssumeRole']);
    expect(actionsOf(deployed.roles.WithCaller?.statements)).toEqual(
      actionsOf(deployed.roles.OnEks?.statements),
    );
  });

  it('let the exporter write below the prefix, and checkpoints to the witness where one is named; and delete nothing', () => {
    const write = deployed.roles.BackupCopyExporter?.statements.filter(({ Action }) =>
      [Action].flat().includes('s3:PutObject'),
    );
    expect(write?.map(({ Resource }) => Resource)).toEqual([
      'arn:aws:s3:::the-lake/lake/*',
      'arn:aws:s3:::the-witness/lakes/_ledger/checkpoints/*',
    ]);
    const all = Object.values(deployed.roles).flatMap((role) => actionsOf(role.statements));
    expect(all.filter((action) => /Delete|Put(?!Object$)/.test(action))).toEqual([]);
  });

  it('let nobody but the exporter become a reader, and that with the external id where there is one', () => {
    const exporter = 'arn:aws:iam::111122223333:role/BackupCopyExporter';
    const conditions = (role: string) =>
      deployed.roles[role]?.trust.Statement.map(({ Condition }) => Condition);
    expect(conditions('BackupCopyExportReader')).toEqual([
      { ArnEquals: { 'aws:PrincipalArn': exporter }, StringEquals: { 'sts:ExternalId': 'ours' } },
    ]);
    expect(conditions('BackupCopyExportOrganizationReader')).toEqual(conditions('BackupCopyExportReader'));
    expect(conditions('PlainReader')).toEqual([{ ArnEquals: { 'aws:PrincipalArn': exporter } }]);
  });

  it('refuse the bucket to whoever comes without TLS', () => {
    expect(deployed.bucket.Statement).toEqual([
      expect.objectContaining({
        Effect: 'Deny',
        Action: 's3:*',
        Resource: ['arn:aws:s3:::the-lake', 'arn:aws:s3:::the-lake/*'],
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    ]);
  });
});

describe('the CronJob', () => {
  it.each(kubernetes)('is what Kubernetes %s takes, strictly', async (version) => {
    const schemas = await kubernetesSchemas(version);
    const program = await goCommand(kubeconform);
    const conform = (file: string) =>
      ended(program, [
        '-strict',
        '-summary',
        '-schema-location',
        `${schemas}/{{.ResourceKind}}{{.KindSuffix}}.json`,
        file,
      ]);
    const good = await conform(manifest);
    expect(good.exitCode, good.stdout).toBe(0);
    expect(good.stdout).toContain('Valid: 3, Invalid: 0, Errors: 0, Skipped: 0');

    const watching = await conform(join(root, 'deploy/kubernetes/watch.yaml'));
    expect(watching.exitCode, watching.stdout).toBe(0);
    expect(watching.stdout).toContain('Valid: 2, Invalid: 0, Errors: 0, Skipped: 0');

    const misspelt = join(folder, 'misspelt-manifest.yaml');
    await writeFile(
      misspelt,
      (await readFile(manifest, 'utf8')).replace('restartPolicy:', 'restartPolicies:'),
    );
    expect((await conform(misspelt)).stdout).toContain('Valid: 2, Invalid: 1');
  });

  it('fails the job for good only on codes that a retry cannot heal', async () => {
    const { job, container } = await cronJob();
    const rules = job.podFailurePolicy.rules.filter(({ onExitCodes }) => onExitCodes !== undefined);
    expect(rules.map(({ onExitCodes }) => onExitCodes?.containerName)).toEqual([
      container.name,
      container.name,
    ]);
    const [fail, count] = rules;
    expect(fail).toMatchObject({
      action: 'FailJob',
      onExitCodes: { operator: 'In', values: [64, 65, 66, 76, 77, 78, 80] },
    });
    expect(count).toMatchObject({
      action: 'Count',
      onExitCodes: { operator: 'NotIn', values: [0, 64, 65, 66, 76, 77, 78, 80] },
    });
    const known = Object.keys(exitCodes).map(Number);
    expect(known).toEqual(expect.arrayContaining([...(fail?.onExitCodes?.values ?? [])]));
    expect(known.filter((code) => !count?.onExitCodes?.values.includes(code))).toEqual([69, 70, 74, 75]);
  });

  it('gives the run, its retries and its end the time that they need, and is over before the next night', async () => {
    const { spec, job, pod, container } = await cronJob();
    const { deadlineMs } = settingsOf(container.args);
    const grace = pod.terminationGracePeriodSeconds;
    expect(grace).toBeGreaterThan(stopsWithinSeconds);
    const attempts = job.backoffLimit + 1;
    expect(job.activeDeadlineSeconds).toBeGreaterThan(attempts * (deadlineMs / 1000 + grace));
    expect(spec.startingDeadlineSeconds + job.activeDeadlineSeconds).toBeLessThan(86_400);
    expect(spec.concurrencyPolicy).toBe('Forbid');
    expect(pod.restartPolicy).toBe('Never');
  });

  it('runs under the restricted Pod Security standard, as the image’s user, with scratch as the only writable place', async () => {
    const { pod, container } = await cronJob();
    const image = await dockerfile();
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: image.uid,
      runAsGroup: image.gid,
      fsGroup: image.gid,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.volumeMounts).toEqual([{ name: 'scratch', mountPath: image.scratch }]);
    expect(settingsOf(container.args).scratch).toBe(image.scratch);
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.enableServiceLinks).toBe(false);
  });

  it('has more scratch than the program may use, and the memory that its defaults fit', async () => {
    const { pod, container } = await cronJob();
    const settings = settingsOf(container.args);
    const volume = bytes(pod.volumes[0]?.emptyDir.sizeLimit ?? '');
    expect(volume).toBeGreaterThan(settings.scratchLimitBytes);
    expect(bytes(container.resources.limits['ephemeral-storage'] ?? '')).toBeGreaterThan(volume);
    expect(bytes(container.resources.limits.memory ?? '')).toBe(2 ** 30);
    expect(settings.memoryLimitBytes).toBeLessThan(0.6 * 2 ** 30);
    expect(settings).toMatchObject({ logFormat: 'json', progress: 'off' });
  });

  it('names the image by the version of package.json', async () => {
    const { container } = await cronJob();
    expect(container.image.split(':').at(-1)).toBe(await packageVersion());
  });
});

describe('the shards', () => {
  const shards = join(root, 'deploy/kubernetes/shards.yaml');

  it.each(kubernetes)('are what Kubernetes %s takes, strictly', async (version) => {
    const location = `${await kubernetesSchemas(version)}/{{.ResourceKind}}{{.KindSuffix}}.json`;
    const done = await ended(await goCommand(kubeconform), [
      '-strict',
      '-summary',
      '-schema-location',
      location,
      shards,
    ]);
    expect(done.exitCode, done.stdout).toBe(0);
    expect(done.stdout).toContain('Valid: 1, Invalid: 0, Errors: 0, Skipped: 0');
  });

  it('are as many as Kubernetes completes, and ask for the same export as the one pod', async () => {
    const text = await readFile(shards, 'utf8');
    const count = (name: string) => new RegExp(`${name}: '?(\\d+)`).exec(text)?.[1];
    const [, told] = /BACKUP_COPY_EXPORT_SHARDS\s+value: '(\d+)'/.exec(text) ?? [];
    expect([count('completions'), count('parallelism')]).toEqual([told, told]);
    const [document] = parseAllDocuments(text);
    const { args } = document?.toJS().spec.jobTemplate.spec.template.spec.containers[0] ?? {};
    const alone = await cronJob();
    expect(args).toEqual(alone.container.args);
    const env = {
      JOB_COMPLETION_INDEX: '7',
      BACKUP_COPY_EXPORT_SHARDS: told ?? '',
      BACKUP_COPY_EXPORT_NIGHT: 'job-1',
    };
    expect(settingsOf(args, env)).toMatchObject({ shard: { index: 7, count: Number(told) }, night: 'job-1' });
  });

  it('have the time for as many rounds as parallelism makes, each with its tries', async () => {
    const [cron] = parseAllDocuments(await readFile(shards, 'utf8'));
    const job = cron?.toJS().spec.jobTemplate.spec;
    const { deadlineMs } = settingsOf(job.template.spec.containers[0].args, {
      JOB_COMPLETION_INDEX: '0',
      BACKUP_COPY_EXPORT_SHARDS: '8',
    });
    const rounds = Math.ceil(job.completions / job.parallelism);
    const tries = job.backoffLimitPerIndex + 1;
    expect(job.activeDeadlineSeconds).toBe(rounds * tries * (deadlineMs / 1000) + 3600);
  });

  it('get from AWS Batch what they need, and ask for the same export', async () => {
    const { JobDefinition, Schedule } = await resources('batch/shards.yaml');
    const { Command, LogConfiguration } = JobDefinition.Properties.ContainerProperties;
    expect(LogConfiguration.LogDriver).toBe('awslogs');
    const alone = (await cronJob()).container.args.filter((arg) => !/^--(lake|scratch-limit)=/.test(arg));
    const lake = `--lake=\${Lake}`;
    expect([...Command].sort()).toEqual([...alone, lake, '--scratch-limit=15GB', '--metrics=emf'].sort());
    const args = Command.map((arg: string) => (arg === lake ? '--lake=s3://example/lake' : arg));
    const env = {
      AWS_BATCH_JOB_ARRAY_INDEX: '7',
      AWS_BATCH_JOB_ARRAY_SIZE: '8',
      AWS_BATCH_JOB_ID: '0f1e2d3c-0000-1111-2222-333344445555:7',
    };
    expect(settingsOf(args, env)).toMatchObject({ shard: { index: 7, count: 8 } });
    const input = Schedule.Properties.Target.Input.replace(/\$\{Shards\}/, '8');
    expect(JSON.parse(input)).toMatchObject({
      JobDefinition: JobDefinition.Properties.JobDefinitionName,
      ArrayProperties: { Size: 8 },
    });
  });

  it('are tried again on AWS Batch on the codes on which Kubernetes tries again', async () => {
    const { Attempts, EvaluateOnExit } = (await resources('batch/shards.yaml')).JobDefinition.Properties
      .RetryStrategy;
    const { job } = await cronJob();
    expect(Attempts).toBe(job.backoffLimit + 1);
    const last = EvaluateOnExit.at(-1);
    expect(last).toEqual({ Action: 'EXIT', OnExitCode: '*' });
    const again = EvaluateOnExit.slice(0, -1);
    expect(again.every(({ Action }: { Action: string }) => Action === 'RETRY')).toBe(true);
    const [, counted] = job.podFailurePolicy.rules.filter(({ onExitCodes }) => onExitCodes !== undefined);
    const known = [...Object.keys(exitCodes).map(Number), 137];
    // 70 is a fault of the program: Batch takes five rules, and the other codes are the likelier ones to pass.
    const healed = known.filter((code) => code !== 70 && !counted?.onExitCodes?.values.includes(code));
    expect(again.map(({ OnExitCode }: { OnExitCode: string }) => Number(OnExitCode))).toEqual(healed);
    expect(EvaluateOnExit.length).toBeLessThanOrEqual(5);
  });

  it('have the time on AWS Batch that a run and its end need, and are over before the next night', async () => {
    const { JobDefinition, Schedule } = await resources('batch/shards.yaml');
    const { Timeout, RetryStrategy, ContainerProperties } = JobDefinition.Properties;
    const { deadlineMs } = settingsOf(
      ContainerProperties.Command.map((arg: string) => arg.replace(/\$\{Lake\}/, 's3://example/lake')),
    );
    const attempt = Timeout.AttemptDurationSeconds;
    expect(attempt).toBeGreaterThan(deadlineMs / 1000 + endsAfterDeadlineSeconds);
    const latest = Schedule.Properties.Target.RetryPolicy.MaximumEventAgeInSeconds;
    expect(latest + RetryStrategy.Attempts * attempt).toBeLessThan(86_400);
  });
});

describe('the schedules of EventBridge', () => {
  const schedules = async () => {
    const templates = ['ecs/schedule.yaml', 'ecs/watch.yaml', 'batch/shards.yaml'];
    const all = await Promise.all(templates.map(resources));
    return all.flatMap((found, at) =>
      Object.values<Schedule>(found)
        .filter(({ Type }) => Type === 'AWS::Scheduler::Schedule')
        .map(({ Properties }) => ({ template: templates[at] ?? '', ...Properties })),
    );
  };

  it('start at their time, retry a start, and send what could not start to a queue if there is one', async () => {
    const found = await schedules();
    expect(found).toHaveLength(4);
    for (const { template, FlexibleTimeWindow, Target } of found) {
      expect(FlexibleTimeWindow.Mode, template).toBe('OFF');
      expect(Target.RetryPolicy.MaximumEventAgeInSeconds, template).toBeGreaterThan(0);
      expect(Target.DeadLetterConfig, template).toEqual([
        'HasDeadLetterQueue',
        { Arn: 'DeadLetterQueueArn' },
        'AWS::NoValue',
      ]);
    }
  });

  it.each(['ecs/schedule.yaml', 'batch/shards.yaml'])('%s lets its role send to that queue', async (name) => {
    const { SchedulerRole } = await resources(name);
    const [{ PolicyDocument }] = SchedulerRole.Properties.Policies;
    expect(PolicyDocument.Statement).toContainEqual([
      'HasDeadLetterQueue',
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: 'DeadLetterQueueArn' },
      'AWS::NoValue',
    ]);
  });
});

it('names the partition of AWS by the template’s own, everywhere', async () => {
  const templates = (await readdir(join(root, 'deploy'), { recursive: true })).filter(
    (name) => name.endsWith('.yaml') && !name.startsWith('kubernetes'),
  );
  expect(templates.length).toBeGreaterThan(10);
  for (const name of templates) {
    // An example in a description names the usual partition.
    const lines = (await readFile(join(root, 'deploy', name), 'utf8'))
      .split('\n')
      .filter((line) => /arn:aws:/.test(line) && !/^ *(#|Description:)/.test(line));
    expect(lines, name).toEqual([]);
  }
});

describe('the Fargate task', () => {
  it('is what ECS takes, by botocore’s model', async () => {
    const script = join(import.meta.dirname, 'task_definition.py');
    const file = join(root, 'deploy/ecs/task-definition.json');
    expect(await ended(join(python, 'python'), [script, file])).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
    const misspelt = join(folder, 'misspelt-task.json');
    await writeFile(misspelt, (await readFile(file, 'utf8')).replace('stopTimeout', 'stopTimeouts'));
    expect((await ended(join(python, 'python'), [script, misspelt])).stdout).toContain('stopTimeouts');
  });

  it('runs as the image’s user, with scratch as the only writable place and room for the scratch limit', async () => {
    const { task, container } = await taskDefinition();
    const image = await dockerfile();
    expect(container).toMatchObject({
      user: `${image.uid}:${image.gid}`,
      readonlyRootFilesystem: true,
      linuxParameters: { capabilities: { drop: ['ALL'] } },
      mountPoints: [{ sourceVolume: 'scratch', containerPath: image.scratch, readOnly: false }],
    });
    const settings = settingsOf(container.command);
    expect(settings.scratch).toBe(image.scratch);
    expect(task.ephemeralStorage.sizeInGiB * 2 ** 30).toBeGreaterThan(settings.scratchLimitBytes + 5e9);
    expect(container.stopTimeout).toBeGreaterThan(stopsWithinSeconds);
    expect(container.image.split(':').at(-1)).toBe(await packageVersion());
  });

  // The driver awslogs hands CloudWatch the lines of metrics as they are. A forwarder in Kubernetes may wrap them.
  it('asks for the same export as the CronJob, and for metrics', async () => {
    const { container } = await taskDefinition();
    expect(container.logConfiguration.logDriver).toBe('awslogs');
    expect(container.command).toEqual([...(await cronJob()).container.args, '--metrics=emf']);
    expect(settingsOf(container.command).metrics).toBe('emf');
  });

  it('is the family that the schedule starts, and logs where the template makes the group', async () => {
    const { task, container } = await taskDefinition();
    const template = await readFile(join(root, 'deploy/ecs/schedule.yaml'), 'utf8');
    expect(template).toContain(`:task-definition/${task.family}\n`);
    expect(template).toContain(`group: [family:${task.family}]`);
    expect(template).toContain(`LogGroupName: ${container.logConfiguration.options['awslogs-group']}\n`);
    expect(template).toContain(`RoleName: ${task.executionRoleArn.split('/').at(-1)}\n`);
  });
});

describe('the one-off commands of docs/getting-started.md', () => {
  it('plan with the Fargate task’s own options', async () => {
    const text = await readFile(join(root, 'docs/getting-started.md'), 'utf8');
    const [, overrides = ''] = /--overrides '([^']+)'/.exec(text) ?? [];
    const { container } = await taskDefinition();
    // The page names the bucket YOUR-BUCKET throughout; the task definition has an example in its place.
    const command = container.command.map((word) =>
      word.replace('s3://example-backup-copy-lake/', 's3://YOUR-BUCKET/'),
    );
    expect(JSON.parse(overrides)).toEqual({
      containerOverrides: [{ name: container.name, command: ['plan', ...command.slice(1)] }],
    });
  });

  it('plan with the CronJob’s own options, by changing the one word that names the job', async () => {
    const text = await readFile(join(root, 'docs/getting-started.md'), 'utf8');
    const [, patch = ''] = /kubectl patch [^']*'([^']+)'/.exec(text) ?? [];
    expect(JSON.parse(patch)).toEqual([
      { op: 'replace', path: '/spec/template/spec/containers/0/args/0', value: 'plan' },
    ]);
    const { pod, container } = await cronJob();
    expect(pod.containers).toEqual([container]);
    expect(container.args[0]).toBe('export');
  });
});

/** The parts of the manifest that are looked at; kubeconform has held all of it against the schema. */
interface CronJob {
  readonly spec: {
    readonly concurrencyPolicy: string;
    readonly startingDeadlineSeconds: number;
    readonly jobTemplate: { readonly spec: Job };
  };
}

interface Job {
  readonly backoffLimit: number;
  readonly activeDeadlineSeconds: number;
  readonly podFailurePolicy: {
    readonly rules: readonly {
      readonly action: string;
      readonly onExitCodes?: {
        readonly containerName: string;
        readonly operator: string;
        readonly values: readonly number[];
      };
    }[];
  };
  readonly template: { readonly spec: Pod };
}

interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly restartPolicy: string;
  readonly automountServiceAccountToken: boolean;
  readonly enableServiceLinks: boolean;
  readonly securityContext: unknown;
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly emptyDir: { readonly sizeLimit: string } }[];
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly resources: { readonly limits: Readonly<Record<string, string>> };
  readonly securityContext: unknown;
  readonly volumeMounts: unknown;
}

/** The parts of a schedule that are looked at. */
interface Schedule {
  readonly Type: string;
  readonly Properties: {
    readonly FlexibleTimeWindow: { readonly Mode: string };
    readonly Target: {
      readonly RetryPolicy: { readonly MaximumEventAgeInSeconds: number };
      readonly DeadLetterConfig: unknown;
    };
  };
}

/** The resources of a template of deploy/; functions of CloudFormation become what they are given. */
async function resources(name: string) {
  return parse(await readFile(join(root, 'deploy', name), 'utf8'), { logLevel: 'error' }).Resources;
}

async function cronJob() {
  const documents = parseAllDocuments(await readFile(manifest, 'utf8')).map((document) => document.toJS());
  const cron: CronJob | undefined = documents.find(({ kind }) => kind === 'CronJob');
  const job = cron?.spec.jobTemplate.spec;
  const container = job?.template.spec.containers[0];
  if (!cron || !job || !container) throw new Error('the manifest has no CronJob with a container');
  return { spec: cron.spec, job, pod: job.template.spec, container };
}

async function taskDefinition() {
  const task: {
    readonly family: string;
    readonly executionRoleArn: string;
    readonly ephemeralStorage: { readonly sizeInGiB: number };
    readonly containerDefinitions: readonly {
      readonly name: string;
      readonly image: string;
      readonly command: readonly string[];
      readonly stopTimeout: number;
      readonly logConfiguration: {
        readonly logDriver: string;
        readonly options: Readonly<Record<string, string>>;
      };
    }[];
  } = JSON.parse(await readFile(join(root, 'deploy/ecs/task-definition.json'), 'utf8'));
  const [container] = task.containerDefinitions;
  if (!container) throw new Error('the task definition has no container');
  return { task, container };
}

async function dockerfile(): Promise<{ uid: number; gid: number; scratch: string }> {
  const text = await readFile(join(root, 'Dockerfile'), 'utf8');
  const [, uid, gid] = /^USER (\d+):(\d+)$/m.exec(text) ?? [];
  const [, scratch = ''] = /BACKUP_COPY_EXPORT_SCRATCH=(\S+)/.exec(text) ?? [];
  expect(text).toContain(`\nVOLUME ${scratch}\n`);
  return { uid: Number(uid), gid: Number(gid), scratch };
}

async function packageVersion(): Promise<string> {
  return JSON.parse(await readFile(join(root, 'package.json'), 'utf8')).version;
}

/** Kubernetes' quantities, as far as they are used here. */
function bytes(quantity: string): number {
  const [, number, unit] = /^(\d+)(Mi|Gi)$/.exec(quantity) ?? [];
  return Number(number) * (unit === 'Gi' ? 2 ** 30 : 2 ** 20);
}

function actionsOf(statements: readonly Statement[] | undefined): string[] {
  return [...new Set(statements?.flatMap(({ Action }) => Action))].sort();
}

/**
 * Kubernetes' own schemas, as the package kubernetes-validate ships them, in the form that kubeconform reads:
 * references between files are relative there, and files have no id.
 */
async function kubernetesSchemas(version: string): Promise<string> {
  const locate = 'import kubernetes_validate; print(kubernetes_validate.__path__[0])';
  const { stdout } = await ended(join(python, 'python'), ['-c', locate]);
  const from = join(stdout.trim(), 'kubernetes-json-schema', `${version}-local-strict`);
  const to = join(folder, `schemas-${version}`);
  await mkdir(to, { recursive: true });
  for (const name of ['namespace-v1', 'serviceaccount-v1', 'cronjob-batch-v1', '_definitions']) {
    const { $id: _, ...schema } = JSON.parse(
      (await readFile(join(from, `${name}.json`), 'utf8')).replaceAll(
        '"/api/_definitions.json',
        '"_definitions.json',
      ),
    );
    await writeFile(join(to, `${name}.json`), JSON.stringify(schema));
  }
  return to;
}

function ended(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      program,
      args,
      { env: { ...process.env, ...env }, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        const exitCode = typeof error?.code === 'number' ? error.code : error ? -1 : 0;
        resolve({ exitCode, stdout, stderr });
      },
    );
  });
}
