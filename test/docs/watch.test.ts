/** The deploy files that look after a lake: jobs that the program accepts, after the export, and a witness that nobody can empty. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { tableOf } from '../../src/config/options.ts';
import { parseStatusSettings } from '../../src/status/status-settings.ts';
import { parseVerifySettings } from '../../src/verify/verify-settings.ts';

const deploy = (name: string) => readFileSync(new URL(`../../deploy/${name}`, import.meta.url), 'utf8');
/** Functions of CloudFormation become what they are given. */
const template = (name: string) => parse(deploy(name), { logLevel: 'error' });
const cronJobs = (name: string) =>
  parseAllDocuments(deploy(name))
    .map((one) => one.toJS())
    .filter(({ kind }) => kind === 'CronJob');
const podOf = (job: ReturnType<typeof cronJobs>[number]) => job.spec.jobTemplate.spec.template.spec;

const watching = cronJobs('kubernetes/watch.yaml');
const [exporting] = cronJobs('kubernetes/backup-copy-export.yaml');

const around = { env: {}, cwd: '/', temporaryFolder: '/tmp', readFile: () => '' };

/** As the program reads a container's arguments. */
function settingsOf([job, ...flags]: readonly string[]) {
  if (job !== 'status' && job !== 'verify') throw new Error(`the job is ${job}`);
  const given = flags.map((flag) => {
    const [, name = '', value = ''] = /^--([a-z-]+)=(.+)$/.exec(flag) ?? [];
    if (!tableOf(job).has(name)) throw new Error(`${flag} is no option of ${job}`);
    return [name, value] as const;
  });
  const input = { ...around, flags: Object.fromEntries(given) };
  return job === 'status' ? parseStatusSettings(input) : parseVerifySettings(input);
}

it('runs status and a thirtieth of verify, each day, and never retries', () => {
  const jobs = watching.map((job) => [
    podOf(job).containers[0].args[0],
    job.spec.jobTemplate.spec.backoffLimit,
  ]);
  expect(jobs).toEqual([
    ['status', 0],
    ['verify', 0],
  ]);
  const [status, verify] = watching.map((job) => settingsOf(podOf(job).containers[0].args));
  expect(status).toMatchObject({ acknowledge: false, warnWithinMs: 48 * 3_600_000 });
  expect(verify).toMatchObject({ subset: { number: null, of: 30 }, quick: false, resumeFile: null });
});

const secondsOfDay = (minute = '', hour = '') => Number(hour) * 3600 + Number(minute) * 60;
const start = ({ spec }: (typeof watching)[number]): number => {
  const [minute, hour] = spec.schedule.split(' ');
  return secondsOfDay(minute, hour);
};

it.each(['kubernetes/backup-copy-export.yaml', 'kubernetes/shards.yaml'])(
  'runs them after the export of %s and its retries have ended, at the latest',
  (name) => {
    const [job] = cronJobs(name);
    const { startingDeadlineSeconds, jobTemplate } = job.spec;
    const end = start(job) + startingDeadlineSeconds + jobTemplate.spec.activeDeadlineSeconds;
    expect(watching).toHaveLength(2);
    for (const one of watching) expect(start(one)).toBeGreaterThanOrEqual(end);
  },
);

it('runs them on Fargate after the export has ended, at the latest', () => {
  const startOf = (of: { Default: string }) => {
    const [, minute, hour] = /^cron\((\d+) (\d+) \* \* \? \*\)$/.exec(of.Default) ?? [];
    return secondsOfDay(minute, hour);
  };
  const { Parameters, Resources } = template('ecs/schedule.yaml');
  const [container] = JSON.parse(deploy('ecs/task-definition.json')).containerDefinitions;
  const [, hours] = /^--deadline=(\d+)h$/m.exec(container.command.join('\n')) ?? [];
  const { Target, FlexibleTimeWindow } = Resources.Schedule.Properties;
  expect(FlexibleTimeWindow).toEqual({ Mode: 'OFF' });
  // The program ends itself a minute after its deadline. A task that has started is not retried.
  const end =
    startOf(Parameters.ScheduleExpression) +
    Target.RetryPolicy.MaximumEventAgeInSeconds +
    Number(hours) * 3600 +
    60;
  const watch = template('ecs/watch.yaml').Parameters;
  // Some minutes for the task to get its place and its image.
  expect(startOf(watch.StatusSchedule)).toBeGreaterThanOrEqual(end + 600);
  expect(startOf(watch.VerifySchedule)).toBeGreaterThanOrEqual(end + 600);
});

it('gives them the export’s lake, image, rights and limits', () => {
  const pod = podOf(exporting);
  const shared = ({ containers: [container], ...rest }: typeof pod) => {
    const { name: _, args, resources, ...same } = container;
    const where = args.filter((arg: string) =>
      /^--(lake|scratch|scratch-limit|log-format|progress)=/.test(arg),
    );
    return { ...rest, container: { ...same, limits: resources.limits, where: where.sort() } };
  };
  for (const job of watching) {
    expect(shared(podOf(job))).toEqual(shared(pod));
    expect(job.metadata.namespace).toBe(exporting.metadata.namespace);
  }
});

it('runs the same on Fargate, in the container of the task definition', () => {
  const { Resources } = template('ecs/watch.yaml');
  const [container] = JSON.parse(deploy('ecs/task-definition.json')).containerDefinitions;
  for (const [at, name] of ['Status', 'Verify'].entries()) {
    const input = Resources[name].Properties.Target.Input.replace(
      /\$\{LakeUrl\}/,
      's3://example-backup-copy-lake/lake',
    );
    const [override] = JSON.parse(input).containerOverrides;
    expect(override.name).toBe(container.name);
    const words = podOf(watching[at]).containers[0].args;
    expect([...override.command].sort()).toEqual([...words].sort());
    expect(override.command[0]).toBe(words[0]);
  }
  // The rule of schedule.yaml tells of every task of the family, and so of these.
  const rule = template('ecs/schedule.yaml').Resources.FailedRun.Properties.EventPattern.detail;
  expect(rule.group).toEqual(['family:backup-copy-export']);
});

it('keeps the witness’s copies for years, lets the exporter only add, and nobody delete', () => {
  const { Witness, WitnessPolicy } = template('iam/witness-bucket.yaml').Resources;
  expect(Witness).toMatchObject({
    DeletionPolicy: 'Retain',
    Properties: {
      VersioningConfiguration: { Status: 'Enabled' },
      ObjectLockEnabled: true,
      ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'COMPLIANCE' } } },
    },
  });
  // A rule that expires objects would end the record.
  expect(Witness.Properties.LifecycleConfiguration).toBeUndefined();
  const text = JSON.stringify(WitnessPolicy.Properties.PolicyDocument.Statement);
  const allowed = [...text.matchAll(/s3:[A-Z*][A-Za-z]*/g)].map(([action]) => action);
  expect(allowed).toEqual([
    's3:PutObject',
    's3:GetObject',
    's3:GetObjectVersion',
    's3:GetObjectRetention',
    's3:ListBucket',
    's3:ListBucketVersions',
    's3:*',
  ]);
  const [add] = WitnessPolicy.Properties.PolicyDocument.Statement;
  expect(add).toMatchObject({
    Effect: 'Allow',
    Principal: { AWS: 'ExporterRoleArn' },
    Action: 's3:PutObject',
    // Without the header If-None-Match, a new version would cover the checkpoint.
    Condition: { Null: { 's3:if-none-match': 'false' } },
  });
  // With a prefix and without one: only checkpoints.
  expect(add.Resource).toBe(`\${Witness.Arn}/\${Prefix}_ledger/checkpoints/*`);
});

it('takes the witness’s prefix as the exporter’s role does, and names the witness as --witness takes it', () => {
  const witness = template('iam/witness-bucket.yaml');
  const { WitnessPrefix } = template('iam/exporter.yaml').Parameters;
  expect(witness.Parameters.Prefix.AllowedPattern).toBe(WitnessPrefix.AllowedPattern);
  const allowed = new RegExp(WitnessPrefix.AllowedPattern);
  for (const prefix of ['', 'a/', 'lakes/production/']) expect(prefix).toMatch(allowed);
  for (const prefix of ['a', 'lakes/production', '/', '/a/']) expect(prefix).not.toMatch(allowed);
  for (const { Description } of [witness.Parameters.Prefix, WitnessPrefix]) {
    expect(Description).toMatch(/such as lakes\/production\/, ending in a slash/);
  }
  expect(
    witness.Outputs.WitnessUrl.Value.replace(/\$\{(\w+)\}/g, (_: string, name: string) =>
      name === 'Prefix' ? 'lakes/production/' : 'witness',
    ),
  ).toBe('s3://witness/lakes/production/');
  const witnessOf = (url: string) =>
    parseVerifySettings({ ...around, flags: { lake: 's3://the-lake/lake', witness: url } }).witness;
  expect(witnessOf('s3://witness/lakes/production/')).toEqual(witnessOf('s3://witness/lakes/production'));
});
