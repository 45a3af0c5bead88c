/** What STS says of a web identity: what passes is asked again and is a 75, what does not is a 77 at once. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Aws, createAws } from '../../src/aws/aws.ts';
import { AccessError, UnavailableError } from '../../src/shared/errors.ts';
import { identifyCaller } from '../../src/targets/caller.ts';
import {
  type Asked,
  assumedRole,
  callerIdentity,
  type Reply,
  type ScriptedAws,
  startScriptedAws,
  stsRefusal,
} from '../source/scripted-aws.ts';

let folder: string;
let token: string;
let server: ScriptedAws;
let aws: Aws;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bce-web-identity-'));
  token = join(folder, 'token');
  await writeFile(token, 'first');
  for (const name of [
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_PROFILE',
    'HTTPS_PROXY',
    'HTTP_PROXY',
  ]) {
    vi.stubEnv(name, '');
  }
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'));
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', token);
  vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::111122223333:role/Exporter');
});
afterEach(async () => {
  aws.close();
  await server.close();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** @param web what STS answers to AssumeRoleWithWebIdentity, by how often it was asked */
async function identifying(web: (times: number, asked: Asked) => Reply | Promise<Reply>) {
  let times = 0;
  server = await startScriptedAws(async (asked) => {
    const isWeb = asked.body.includes('Action=AssumeRoleWithWebIdentity');
    const reply = isWeb ? await web(times++, asked) : callerIdentity();
    return typeof reply === 'string' ? reply : { ...reply, date: new Date().toUTCString() };
  });
  vi.stubEnv('AWS_ENDPOINT_URL_STS', server.endpoint);
  aws = createAws({ endpointUrl: null, maxSockets: 2, retryForMs: 30_000 });
  const outcome: unknown = await identifyCaller(aws, { region: 'us-east-1' }).catch(
    (error: unknown) => error,
  );
  return { outcome, times };
}

const good = (): Reply => {
  const reply = assumedRole('ASIAWEB', new Date(Date.now() + 3_600_000));
  if (typeof reply === 'string') return reply;
  const body = String(reply.body).replaceAll('AssumeRole', 'AssumeRoleWithWebIdentity');
  return { ...reply, body };
};

const noKeys =
  'Couldn’t retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements';

describe.each([
  ['InvalidIdentityToken', noKeys, 400],
  ['IDPCommunicationError', 'The identity provider could not be reached', 400],
  ['ExpiredTokenException', 'Token expired: current date/time must be before the expiration date/time', 400],
] as const)('%s', (name, message, status) => {
  it('is asked again, with what then stands in the file', async () => {
    const tokens: (string | null)[] = [];
    const { outcome } = await identifying(async (_times, { body }) => {
      const sent = new URLSearchParams(body).get('WebIdentityToken');
      tokens.push(sent);
      if (sent === 'second') return good();
      await writeFile(token, 'second');
      return stsRefusal(name, message, status);
    });
    expect(outcome).toMatchObject({ caller: { accountId: '111122223333' } });
    expect([tokens[0], tokens.at(-1)]).toEqual(['first', 'second']);
  });

  it('is a 75 when it stays so, and blames no permission', async () => {
    const { outcome, times } = await identifying(() => stsRefusal(name, message, status));
    expect(times).toBeGreaterThan(3);
    if (!(outcome instanceof UnavailableError)) throw new Error(`no UnavailableError: ${String(outcome)}`);
    expect(outcome.exitCode).toBe(75);
    expect(outcome.message).toContain(name);
    expect(outcome.message).not.toMatch(/check the credentials|allow /i);
  });
});

it.each([
  ['InvalidIdentityToken', 'No OpenIDConnect provider found in your account for https://oidc.test', 'OpenID'],
  ['InvalidIdentityToken', 'Incorrect token audience', 'audience'],
  ['IDPRejectedClaim', 'The claim was revoked', 'identity provider'],
  ['RegionDisabledException', 'STS is not activated in this region', 'Activate STS'],
  ['PackedPolicyTooLarge', 'Packed size exceeds the limit', 'session tags'],
])('%s (%s) is a 77 at once, with advice of its own', async (name, message, advice) => {
  const { outcome, times } = await identifying(() => stsRefusal(name, message, 400));
  expect(times).toBe(1);
  if (!(outcome instanceof AccessError)) throw new Error(`no AccessError: ${String(outcome)}`);
  expect(outcome.message).toContain(advice);
});
