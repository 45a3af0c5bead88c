/** What breaks on the way to AWS is asked again, whoever asks; and when it stays so, nobody is blamed for it. */
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Aws, createAws } from '../../src/aws/aws.ts';
import { UnavailableError } from '../../src/errors.ts';
import { createSource } from '../../src/source/backup.ts';
import { identifyCaller } from '../../src/targets/caller.ts';
import { assumedRole } from '../../src/targets/credentials.ts';
import { listOrganizationAccounts } from '../../src/targets/organization.ts';
import { enabledRegions } from '../../src/targets/regions.ts';
import { staticCredentials } from '../source/reading.ts';
import {
  type Asked,
  callerIdentity,
  type Reply,
  assumedRole as roleReply,
  startScriptedAws,
} from '../source/scripted-aws.ts';
import {
  type Hurt,
  hurtsOfAnswers,
  hurtsOfTunnels,
  startRoughWay,
  startTlsFor,
} from '../support/rough-way.ts';

const region = 'us-east-1';
const closing: (() => unknown)[] = [];

beforeEach(() => {
  for (const name of ['https_proxy', 'http_proxy', 'all_proxy', 'no_proxy']) {
    vi.stubEnv(name, '');
    vi.stubEnv(name.toUpperCase(), '');
  }
  // Who signed the certificate is not what is tried here.
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  vi.unstubAllEnvs();
});

/** As AWS would. */
function answer({ service, body }: Asked): Reply {
  switch (service) {
    case 'sts':
      return body.includes('Action=AssumeRole')
        ? roleReply('ASSUMED', new Date(Date.now() + 3_600_000))
        : callerIdentity();
    case 'organizations':
      return { body: { Accounts: [{ Id: '444455556666', Status: 'ACTIVE' }] } };
    case 'account':
      return { body: { Regions: [{ RegionName: region, RegionOptStatus: 'ENABLED' }] } };
    default:
      return { body: { CopyJobs: [] } };
  }
}

const patient = 30_000;
const impatient = 1_000;

const never = () => new AbortController().signal;

/** Who asks for what; each resolves with `OK`, or with how a drain ends. */
const askers = {
  'the caller is asked for': async (aws: Aws) => {
    await identifyCaller(aws, { region, credentials: staticCredentials });
    return 'OK';
  },
  'the accounts are listed': async (aws: Aws) => {
    await listOrganizationAccounts(aws, region, staticCredentials, null, never());
    return 'OK';
  },
  'the regions are listed': async (aws: Aws) => {
    await enabledRegions(aws, region, staticCredentials, never());
    return 'OK';
  },
  'a target is read': (aws: Aws, patienceMs: number) => drained(aws, staticCredentials, patienceMs),
  'a target is read as a role': (aws: Aws, patienceMs: number) => {
    const role = { roleArn: 'arn:aws:iam::444455556666:role/Reader', sessionName: 'who', externalId: null };
    return drained(aws, assumedRole(aws, staticCredentials, region, role), patienceMs);
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
    concurrency: 1,
    requestsPerSecond: 1000,
    targetTimeoutMs,
    memoryDays: 35,
    log: pino({ level: 'silent' }),
    timing: { firstDelayMs: 5, longestDelayMs: 50, requestTimeoutMs: 10_000 },
  });
  const target = { accountId: '444455556666', region, accountName: null, regionNamed: false, credentials };
  const handlers = { onPage: async () => {}, onRestart: () => {} };
  const window = { from: null, to: Date.now() };
  const { status, errorName, errorMessage } = await source.drainCopyJobs(target, window, handlers, never());
  source.close();
  return status === 'OK' ? status : `${status} ${errorName}: ${errorMessage}`;
}

/** @param hurt meets so many connections; those after it are let through */
async function over(kind: 'tunnel' | 'plain', hurt: Hurt, times: number, patienceMs: number): Promise<Aws> {
  const server = await startScriptedAws((asked) => {
    const reply = answer(asked);
    return typeof reply === 'string' ? reply : { ...reply, date: new Date().toUTCString() };
  });
  closing.push(() => server.close());
  const port = Number(new URL(server.endpoint).port);
  const tls = kind === 'tunnel' ? await startTlsFor(port) : null;
  if (tls !== null) closing.push(() => tls.close());
  const behind = tls === null ? port : Number(tls.address.split(':')[1]);
  const way = await startRoughWay(behind, (connection) => (connection < times ? hurt : null));
  closing.push(() => way.close());
  if (tls !== null) vi.stubEnv('HTTPS_PROXY', `http://${way.address}`);
  const endpointUrl = tls === null ? `http://${way.address}` : `https://${tls.address}`;
  const aws = createAws({ endpointUrl, maxSockets: 4, patienceMs });
  closing.push(() => aws.close());
  return aws;
}

const hurts = [
  ...Object.entries(hurtsOfTunnels).map(([name, hurt]) => ({ name, hurt, kind: 'tunnel' as const })),
  ...Object.entries(hurtsOfAnswers).map(([name, hurt]) => ({ name, hurt, kind: 'plain' as const })),
];

const blame = /credential|permission|allow |organizations:|sts:AssumeRole|broken JSON|check that the role/i;

describe.each(Object.entries(askers))('when %s', (_, ask) => {
  it.each(hurts)('and once $name, it is asked again', async ({ hurt, kind }) => {
    expect(await ask(await over(kind, hurt, 1, patient), patient)).toBe('OK');
  });

  it.each(hurts)(
    'and always $name, it is UNREACHABLE or a 75, and nobody is blamed',
    async ({ hurt, kind }) => {
      const aws = await over(kind, hurt, Number.POSITIVE_INFINITY, impatient);
      const end = await ask(aws, impatient).catch((error: unknown) => error);
      if (end instanceof UnavailableError) {
        expect(end.exitCode).toBe(75);
        expect(end.message).not.toMatch(blame);
      } else {
        expect(end).toMatch(/^UNREACHABLE /);
        expect(end).not.toMatch(blame);
      }
    },
  );
});
