/** Everybody who asks AWS for something, and an AWS that has little to say. */
import pino from 'pino';
import type { Aws } from '../../src/aws/aws.ts';
import { openGlue } from '../../src/catalog/glue.ts';
import { createSource } from '../../src/source/backup.ts';
import { fixedConcurrency } from '../../src/source/concurrency.ts';
import { identifyCaller } from '../../src/targets/caller.ts';
import { assumedRole } from '../../src/targets/credentials.ts';
import { listOrganizationAccounts } from '../../src/targets/organization.ts';
import { enabledRegions } from '../../src/targets/regions.ts';
import { staticCredentials } from '../source/reading.ts';
import { type Asked, callerIdentity, type Reply, assumedRole as roleReply } from '../source/scripted-aws.ts';

const region = 'us-east-1';

/** As AWS would. */
export function answer({ service, body }: Asked): Reply {
  switch (service) {
    case 'sts':
      return body.includes('Action=AssumeRole')
        ? roleReply('ASSUMED', new Date(Date.now() + 3_600_000))
        : callerIdentity();
    case 'organizations':
      return { body: { Accounts: [{ Id: '444455556666', Status: 'ACTIVE' }] } };
    case 'glue':
      return { body: { Database: { Name: 'copies' } } };
    case 'account':
      return { body: { Regions: [{ RegionName: region, RegionOptStatus: 'ENABLED' }] } };
    default:
      return { body: { CopyJobs: [] } };
  }
}

export const patient = 30_000;
export const impatient = 1_000;

const never = () => new AbortController().signal;

/** Who asks for what; each resolves with `OK`, or with how a drain ends. */
export const askers = {
  'the caller is asked for': async (aws: Aws) => {
    await identifyCaller(aws, { region, credentials: staticCredentials });
    return 'OK';
  },
  'the accounts are listed': async (aws: Aws) => {
    for await (const _ of listOrganizationAccounts(aws, region, staticCredentials, null, never()));
    return 'OK';
  },
  'the regions are listed': async (aws: Aws) => {
    await enabledRegions(aws, region, staticCredentials, never());
    return 'OK';
  },
  'a table of Glue is looked up': async (aws: Aws) => {
    const glue = openGlue(aws.clientDefaults(region, staticCredentials), 'copies', never(), aws.retrying);
    return (await glue.database())?.Name === 'copies' ? 'OK' : 'nothing';
  },
  'a target is read': (aws: Aws, retryForMs: number) => drained(aws, staticCredentials, retryForMs),
  'a target is read as a role': (aws: Aws, retryForMs: number) => {
    const role = { roleArn: 'arn:aws:iam::444455556666:role/Reader', sessionName: 'who', externalId: null };
    return drained(aws, assumedRole(aws, staticCredentials, region, role), retryForMs);
  },
} as const;

async function drained(
  aws: Aws,
  credentials: typeof staticCredentials,
  targetTimeoutMs: number,
): Promise<string> {
  const source = createSource({
    aws,
    homeRegion: region,
    concurrency: fixedConcurrency(1),
    requestsPerSecond: 1000,
    targetTimeoutMs,
    memoryDays: 35,
    log: pino({ level: 'silent' }),
    timing: { firstDelayMs: 5, longestDelayMs: 50, requestTimeoutMs: 10_000 },
  });
  const target = { accountId: '444455556666', region, accountName: null, regionNamed: false, credentials };
  const window = { from: null, to: Date.now() };
  const drain = source.copyJobs(target, window, never());
  for await (const _ of drain);
  const { status, errorName, errorMessage } = drain.report();
  source.close();
  return status === 'OK' ? status : `${status} ${errorName}: ${errorMessage}`;
}

/** What no message may say where nobody is to blame. */
export const blame =
  /credential|permission|allow |organizations:|sts:AssumeRole|broken JSON|check that the role/i;
