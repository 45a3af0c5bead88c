import type { AwsCredentialIdentityProvider } from '@smithy/types';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { type Aws, createAws } from '../../src/aws/aws.ts';
import { AccessError, UnavailableError, UsageError } from '../../src/shared/errors.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { defaultOptions, type SimulatorOptions } from '../../src/simulator/simulator-options.ts';
import { createSource } from '../../src/source/backup.ts';
import type { Drain } from '../../src/source/source.ts';
import { identifyCaller } from '../../src/targets/caller.ts';
import { enabledRegions } from '../../src/targets/regions.ts';
import type { Target } from '../../src/targets/target.ts';
import { discoverTargets, type TargetPlan } from '../../src/targets/targets.ts';

const day = 86_400_000;
let simulator: Simulator | null = null;
let aws: Aws | null = null;
afterEach(async () => {
  aws?.close();
  await simulator?.stop();
});

async function organization(options: Partial<SimulatorOptions> = {}) {
  // Now, so that a refusal is never taken for one about the clock.
  const started = await startSimulator({
    ...defaultOptions,
    now: Date.now(),
    jobsPerDay: 3,
    days: 3,
    ...options,
  });
  const shared = createAws({ endpointUrl: started.endpoint, maxSockets: 16 });
  simulator = started;
  aws = shared;
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = started.env;
  const credentials: AwsCredentialIdentityProvider = async () => ({ accessKeyId, secretAccessKey });
  const identified = await identifyCaller(shared, { region: 'us-east-1', credentials });
  const plan = (change: Partial<TargetPlan> = {}): Promise<Target[]> =>
    allTargets({
      aws: shared,
      caller: Promise.resolve(identified.caller),
      credentials: identified.credentials,
      homeRegion: identified.region,
      accounts: { kind: 'all' },
      excludeAccounts: [],
      roleName: started.roleName,
      externalId: null,
      roleSessionName: 'backup-copy-export-tests',
      organizationRoleArn: null,
      regions: 'enabled',
      signal: new AbortController().signal,
      ...change,
    });
  return { simulator: started, aws: shared, identified, plan };
}

/** The result of the discovery, when all accounts are listed. */
async function allTargets(plan: TargetPlan): Promise<Target[]> {
  const discovery = discoverTargets(plan);
  let found = await discovery.next();
  while (!found.done) found = await discovery.next();
  return [...found.value];
}

const accountsOf = (targets: readonly Target[]) =>
  [...new Set(targets.map(({ accountId }) => accountId))].sort();
const countOf = ({ simulator: { requests } }: { simulator: Simulator }, api: string) =>
  requests().recent.filter((request) => request.api === api).length;

describe('the caller', () => {
  it('is who STS says, at the time that AWS says', async () => {
    const { simulator, identified } = await organization({ now: Date.UTC(2026, 10, 20, 2) });
    expect(identified.caller.accountId).toBe(simulator.organization.management.id);
    expect(identified.caller.partition).toBe('aws');
    expect(identified.asOf).toBe(Date.UTC(2026, 10, 20, 2));
  });

  it('with refused credentials is an AccessError with advice', async () => {
    const { aws } = await organization();
    const credentials = async () => ({ accessKeyId: 'AKIANOBODYKNOWSTHIS', secretAccessKey: 'x' });
    const failure = await identifyCaller(aws, { region: 'us-east-1', credentials }).catch((error) => error);
    expect(failure).toBeInstanceOf(AccessError);
    expect(failure.message).toContain('AWS_REGION');
  });

  it('without credentials is an AccessError that says how to give some', async () => {
    const { aws } = await organization();
    const credentials = async () => {
      throw Object.assign(new Error('Could not load credentials from any providers'), {
        name: 'CredentialsProviderError',
      });
    };
    const failure = await identifyCaller(aws, { region: 'us-east-1', credentials }).catch((error) => error);
    expect(failure).toBeInstanceOf(AccessError);
    expect(failure.message).toContain('AWS_PROFILE');
  });

  it('who cannot be asked for is an UnavailableError', async () => {
    const { simulator, aws, identified } = await organization();
    await simulator.stop();
    const { credentials } = identified;
    await expect(identifyCaller(aws, { region: 'us-east-1', credentials })).rejects.toBeInstanceOf(
      UnavailableError,
    );
  });
});

describe('the accounts', () => {
  it('are every active one of the organization, over all pages', async () => {
    const { simulator, plan } = await organization({ accounts: 45 });
    expect(simulator.organization.all.length).toBeGreaterThan(45);
    const active = simulator.organization.active.map(({ id }) => id).sort();
    expect(accountsOf(await plan())).toEqual(active);
  });

  it('of units are those below them at any depth, each once', async () => {
    const { simulator, plan } = await organization({ accounts: 30 });
    const { units, active } = simulator.organization;
    const unit = (name: string) => units.find((one) => one.name === name)?.id ?? '';
    const below = (id: string): string[] => [
      id,
      ...units.filter(({ parentId }) => parentId === id).flatMap((one) => below(one.id)),
    ];
    const workloads = new Set(below(unit('Workloads')));
    expect(workloads.size).toBe(4);
    const expected = active
      .filter(({ parentId }) => workloads.has(parentId))
      .map(({ id }) => id)
      .sort();
    const unitIds = [unit('Workloads'), unit('Sandboxes')];
    expect(accountsOf(await plan({ accounts: { kind: 'units', unitIds } }))).toEqual(expected);
    const { rootId } = simulator.organization;
    expect(accountsOf(await plan({ accounts: { kind: 'units', unitIds: [rootId] } }))).toHaveLength(30);
  });

  it('are those listed, without those excluded', async () => {
    const { plan } = await organization();
    const accountIds = ['222233334444', '111122223333', '222233334444'];
    const targets = await plan({
      accounts: { kind: 'listed', accountIds },
      excludeAccounts: ['111122223333'],
    });
    expect(accountsOf(targets)).toEqual(['222233334444']);
  });

  it('that are all excluded, or in an empty unit, are a UsageError', async () => {
    const { simulator, plan, identified } = await organization();
    const { accountId } = identified.caller;
    await expect(plan({ accounts: { kind: 'self' }, excludeAccounts: [accountId] })).rejects.toBeInstanceOf(
      UsageError,
    );
    const empty = simulator.organization.units.find(({ name }) => name === 'Empty')?.id ?? '';
    await expect(plan({ accounts: { kind: 'units', unitIds: [empty] } })).rejects.toBeInstanceOf(UsageError);
  });

  it('that may not be listed are an AccessError that names the actions', async () => {
    const { simulator, plan } = await organization();
    simulator.addFaults([{ kind: 'deny', api: 'ListAccounts' }]);
    const failure = await plan().catch((error) => error);
    expect(failure).toBeInstanceOf(AccessError);
    expect(failure.message).toContain('organizations:ListAccounts');
  });

  it('are listed with a role where one is named', async () => {
    const { simulator, plan, identified } = await organization();
    const { accountId } = identified.caller;
    const organizationRoleArn = `arn:aws:iam::${accountId}:role/BackupCopyExportOrganizationReader`;
    expect(accountsOf(await plan({ organizationRoleArn }))).toHaveLength(20);
    expect(simulator.requests().recent.map(({ api }) => api)).toContain('AssumeRole');
    const refused = plan({ organizationRoleArn: `arn:aws:iam::${accountId}:role/Nobody` });
    await expect(refused).rejects.toBeInstanceOf(AccessError);
  });
});

describe('the regions', () => {
  it('are those enabled in the caller’s account', async () => {
    const { simulator, plan } = await organization({ regions: 6 });
    const targets = await plan({ accounts: { kind: 'self' } });
    expect(targets.map(({ region }) => region).sort()).toEqual([...simulator.regions].sort());
    expect(targets.every(({ regionNamed }) => !regionNamed)).toBe(true);
  });

  it('come from EC2 where account:ListRegions is refused', async () => {
    const { simulator, aws, identified } = await organization({ regions: 6 });
    simulator.addFaults([{ kind: 'deny', api: 'ListRegions' }]);
    const regions = await enabledRegions(
      aws,
      'us-east-1',
      identified.credentials,
      new AbortController().signal,
    );
    expect(regions).toEqual([...simulator.regions].sort());
  });

  it('that may not be asked for are an AccessError that names --regions', async () => {
    const { simulator, plan } = await organization();
    simulator.addFaults([
      { kind: 'deny', api: 'ListRegions' },
      { kind: 'deny', api: 'DescribeRegions' },
    ]);
    const failure = await plan().catch((error) => error);
    expect(failure).toBeInstanceOf(AccessError);
    expect(failure.message).toContain('--regions');
  });

  it('that are named are not asked for', async () => {
    const { simulator, plan } = await organization();
    const targets = await plan({
      accounts: { kind: 'self' },
      regions: ['eu-west-1', 'af-south-1', 'eu-west-1'],
    });
    expect(targets.map(({ region, regionNamed }) => [region, regionNamed])).toEqual([
      ['af-south-1', true],
      ['eu-west-1', true],
    ]);
    expect(simulator.requests().recent.map(({ api }) => api)).not.toContain('ListRegions');
  });
});

describe('the targets', () => {
  it('are every account in every region, in an order that is always the same and changes account and region', async () => {
    const { plan } = await organization({ accounts: 7, regions: 3 });
    const names = (targets: readonly Target[]) =>
      targets.map(({ accountId, region }) => `${accountId} ${region}`);
    const targets = await plan();
    expect(new Set(names(targets)).size).toBe(21);
    expect(names(await plan())).toEqual(names(targets));
    for (const [index, target] of targets.entries()) {
      const next = targets[index + 1];
      if (next !== undefined) expect(next.accountId).not.toBe(target.accountId);
    }
    expect(new Set(targets.slice(0, 7).map(({ accountId }) => accountId)).size).toBe(7);
  });
});

describe('reading an organization', () => {
  /** The order of an object's keys means nothing. */
  const canonical = (record: object) =>
    JSON.stringify(Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))));

  async function readAll(found: Awaited<ReturnType<typeof organization>>, targets: readonly Target[]) {
    const source = createSource({
      aws: found.aws,
      homeRegion: found.identified.region,
      requestsPerSecond: 1000,
      targetTimeoutMs: 20_000,
      memoryDays: 35,
      log: pino({ level: 'silent' }),
      timing: { firstDelayMs: 5, longestDelayMs: 50 },
    });
    const records: object[] = [];
    const readOne = async (drain: Drain) => {
      // Safe: what the simulator sends are objects.
      for await (const page of drain) records.push(...page.records.map(({ value }) => value as object));
      return drain.report();
    };
    const window = { from: null, to: found.identified.asOf };
    const { signal } = new AbortController();
    const reports = await Promise.all(
      targets.flatMap((target) => [
        readOne(source.copyJobs(target, window, signal)),
        readOne(source.copyJobSummaries(target, 'ONE_DAY', signal)),
      ]),
    );
    source.close();
    return { reports, records };
  }

  it('assumes one role an account, shared by regions and tables, and none into itself', async () => {
    const found = await organization({ accounts: 8, regions: 3 });
    const { reports } = await readAll(found, await found.plan());
    expect(reports.map(({ status }) => status)).toEqual(Array(48).fill('OK'));
    const assumed = found.simulator.requests().recent.filter(({ api }) => api === 'AssumeRole');
    const members = found.simulator.organization.active.map(({ id }) => id);
    const { accountId } = found.identified.caller;
    expect(assumed.map(({ account }) => account).sort()).toEqual(
      members.filter((id) => id !== accountId).sort(),
    );
  });

  it('finds every record that there is', async () => {
    const found = await organization({ accounts: 4, regions: 2, children: 'hidden' });
    const { records } = await readAll(found, await found.plan());
    const expected: string[] = [];
    for await (const line of found.simulator.truth()) {
      if (line.table === 'copy_job_summaries' && line.aggregation_period !== 'ONE_DAY') continue;
      expected.push(canonical(line.record));
    }
    expect(expected.length).toBeGreaterThan(100);
    expect(records.map(canonical).sort()).toEqual(expected.sort());
  });

  it('with the external id that the roles ask for, and not without it', async () => {
    const found = await organization({ accounts: 3, regions: 1, externalId: 'only-us' });
    const { accountId } = found.identified.caller;
    const members = { excludeAccounts: [accountId] };
    const without = await readAll(found, await found.plan(members));
    expect(new Set(without.reports.map(({ status }) => status))).toEqual(new Set(['ASSUME_ROLE_FAILED']));
    expect(without.records).toEqual([]);
    expect(countOf(found, 'AssumeRole')).toBe(2);
    const withIt = await readAll(found, await found.plan({ ...members, externalId: 'only-us' }));
    expect(new Set(withIt.reports.map(({ status }) => status))).toEqual(new Set(['OK']));
  });

  it('tells a disabled region, a denied account and a throttled one apart, and reads the others', async () => {
    const found = await organization({ accounts: 4, regions: 2 });
    const [, denied, throttled] = found.simulator.organization.active.map(({ id }) => id);
    found.simulator.addFaults([
      { kind: 'disable-region', region: 'eu-west-1' },
      { kind: 'deny', account: denied ?? '', region: 'us-east-1', api: 'ListCopyJobs' },
      { kind: 'throttle', account: throttled ?? '', region: 'us-east-1', api: 'ListCopyJobs', count: 30 },
    ]);
    const targets = await found.plan();
    const { reports } = await readAll(found, targets);
    const statuses = targets.map(({ accountId, region }, index) => ({
      accountId,
      region,
      jobs: reports[2 * index]?.status,
      summaries: reports[2 * index + 1]?.status,
      retries: reports[2 * index]?.retries,
    }));
    for (const { accountId, region, jobs, summaries, retries } of statuses) {
      if (region === 'eu-west-1') {
        // AWS lists the region as enabled in the caller's own account, and of no other.
        const own = accountId === found.simulator.organization.active[0]?.id;
        const status = own ? 'UNREACHABLE' : 'REGION_DISABLED';
        expect([jobs, summaries]).toEqual([status, status]);
        continue;
      }
      expect([jobs, summaries]).toEqual([accountId === denied ? 'ACCESS_DENIED' : 'OK', 'OK']);
      expect(retries).toBe(accountId === throttled ? 30 : 0);
    }
    expect(countOf(found, 'AssumeRole')).toBe(3);
  });

  it('renews the credentials of a session that AWS calls expired', async () => {
    const found = await organization({ accounts: 2, regions: 1 });
    const member = found.simulator.organization.active[1]?.id ?? '';
    found.simulator.addFaults([
      { kind: 'expired-credentials', account: member, api: 'ListCopyJobs', count: 1 },
    ]);
    const { reports } = await readAll(found, await found.plan());
    expect(reports.map(({ status }) => status)).toEqual(['OK', 'OK', 'OK', 'OK']);
    expect(countOf(found, 'AssumeRole')).toBe(2);
  });

  it('outlives an expired page token, a broken body and a dropped connection', async () => {
    const found = await organization({ accounts: 1, regions: 1, jobsPerDay: 2500 });
    found.simulator.addFaults([
      { kind: 'expire-token', api: 'ListCopyJobs', count: 1, after: 1 },
      { kind: 'bad-json', api: 'ListCopyJobs', count: 1 },
      { kind: 'drop', api: 'ListCopyJobs', count: 1, after: 2 },
    ]);
    const { reports } = await readAll(found, await found.plan());
    expect(reports.map(({ status }) => status)).toEqual(['OK', 'OK']);
    expect(reports[0]?.records).toBeGreaterThan(5000);
  });

  it('reads old days too, when the clock has moved', async () => {
    const found = await organization({ accounts: 1, regions: 1, days: 2 });
    await found.simulator.advance(5 * day);
    const moved = await identifyCaller(found.aws, {
      region: 'us-east-1',
      credentials: found.identified.credentials,
    });
    expect(moved.asOf).toBe(found.identified.asOf + 5 * day);
  });
});
