import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAws } from '../../src/aws/aws.ts';
import { UnavailableError } from '../../src/shared/errors.ts';
import { identifyCaller } from '../../src/targets/caller.ts';
import { callerCredentials } from '../../src/targets/caller-credentials.ts';
import { startBench } from '../source/reading.ts';
import { callerIdentity } from '../source/scripted-aws.ts';

const account = '111122223333';
const closing: (() => unknown)[] = [];
let home = '';

beforeEach(async () => {
  for (const name of Object.keys(process.env)) {
    if (/^AWS_|_proxy$/i.test(name)) vi.stubEnv(name, undefined);
  }
  home = await mkdtemp(join(tmpdir(), 'bce-credentials-'));
  closing.push(() => rm(home, { recursive: true }));
  vi.stubEnv('HOME', home);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  vi.unstubAllEnvs();
});

function shared() {
  const aws = createAws({ endpointUrl: null, maxSockets: 2 });
  closing.push(() => aws.close());
  return aws;
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  return `http://127.0.0.1:${port}`;
}

describe('a container’s credential endpoint', () => {
  const given = {
    AccessKeyId: 'AKIACONTAINER',
    SecretAccessKey: 's',
    Token: 't',
    Expiration: new Date(Date.now() + 3_600_000).toISOString(),
  };

  /** Answers with this status so many times, and gives credentials from then on. */
  async function startEndpoint(status: number, times: number): Promise<{ url: string; asked: () => number }> {
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      const refused = asked <= times;
      response.writeHead(refused ? status : 200, { connection: 'close' });
      response.end(JSON.stringify(refused ? { message: 'not yet' } : given));
    });
    const url = `${await listening(server)}/v1/credentials`;
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', url);
    return { url, asked: () => asked };
  }

  const patience = { retryForMs: 20_000, firstDelayMs: 1 };
  const impatience = { retryForMs: 20, firstDelayMs: 1 };

  it.each([429, 500, 404])('that answers %d for a while is asked until it gives some', async (status) => {
    const { asked } = await startEndpoint(status, 10);
    const credentials = callerCredentials(shared(), 'us-east-1', undefined, patience);
    expect((await credentials()).accessKeyId).toBe('AKIACONTAINER');
    expect(asked()).toBeGreaterThan(10);
  });

  it('is asked without the proxy that the environment names', async () => {
    const { asked } = await startEndpoint(500, 0);
    vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:9');
    vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:9');
    const credentials = callerCredentials(shared(), 'us-east-1', undefined, impatience);
    expect([(await credentials()).accessKeyId, asked()]).toEqual(['AKIACONTAINER', 1]);
  });

  it('that never gives any is an UnavailableError that names it, and what it says', async () => {
    const { url } = await startEndpoint(500, Number.POSITIVE_INFINITY);
    const failure = await callerCredentials(shared(), 'us-east-1', undefined, impatience)().catch((e) => e);
    expect(failure).toBeInstanceOf(UnavailableError);
    expect(failure.message).toContain(`at ${new URL(url).origin} returned`);
    expect(failure.message).not.toContain(new URL(url).pathname);
    expect(failure.message).toContain('status: 500');
  });

  it('that nobody listens at is one, too', async () => {
    const gone = createServer();
    const url = await listening(gone);
    gone.close();
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', url);
    const failure = await callerCredentials(shared(), 'us-east-1', undefined, impatience)().catch((e) => e);
    expect(failure).toBeInstanceOf(UnavailableError);
    expect(failure.message).toContain('ECONNREFUSED');
  });

  it('is not waited for once the run has been told to stop, and the start says no more than that', async () => {
    const { url, asked } = await startEndpoint(500, Number.POSITIVE_INFINITY);
    const stop = new AbortController();
    const asking = identifyCaller(shared(), { region: 'us-east-1', signal: stop.signal }).catch((e) => e);
    await vi.waitUntil(() => asked() >= 2, { timeout: 30_000 });
    stop.abort();
    const before = asked();
    const failure = await asking;
    // The round under way and one more, of three requests each; a minute has nine rounds.
    expect(asked() - before).toBeLessThanOrEqual(6);
    expect(failure).toBeInstanceOf(UnavailableError);
    expect(failure.message).toMatch(/^The container's credential endpoint /);
    expect(failure.message).toContain(`at ${new URL(url).origin} returned`);
    expect(failure.message).not.toContain(new URL(url).pathname);
  });

  it('that gives none during a drain leaves its target UNREACHABLE', async () => {
    await startEndpoint(500, Number.POSITIVE_INFINITY);
    const { readJobs, close } = await startBench(() => callerIdentity(), {
      credentials: callerCredentials(shared(), 'us-east-1', undefined, impatience),
      targetTimeoutMs: 1_000,
    });
    closing.push(close);
    const report = await readJobs();
    expect(report.status).toBe('UNREACHABLE');
    expect(report.errorMessage).toContain('credential endpoint');
  });

  it('that works is not blamed for a profile that gives none', async () => {
    await startEndpoint(500, 0);
    await profile('audit', ssoProfile, 'corp-without-login');
    const failure = await callerCredentials(shared(), 'us-east-1', undefined, patience)().catch((e) => e);
    expect(failure).not.toBeInstanceOf(UnavailableError);
    expect(failure.message).toMatch(/SSO session/);
  });
});

const ssoProfile = `sso_session = corp\nsso_account_id = ${account}\nsso_role_name = Audit\nregion = eu-central-1\n[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-west-2\n`;

async function profile(name: string, body: string, session: string): Promise<void> {
  await mkdir(join(home, '.aws/sso/cache'), { recursive: true });
  const config = join(home, 'config');
  await writeFile(config, `[profile ${name}]\n${body}`);
  const cache = `${createHash('sha1').update(session).digest('hex')}.json`;
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  await writeFile(join(home, '.aws/sso/cache', cache), JSON.stringify({ accessToken: 'token', expiresAt }));
  // Named only now: the SDK remembers a file that was not there when somebody looked.
  vi.stubEnv('AWS_CONFIG_FILE', config);
  vi.stubEnv('AWS_PROFILE', name);
}

describe('single sign-on through a proxy that drops every CONNECT', () => {
  it('is an UnavailableError that tells of the proxy, not of missing credentials', async () => {
    await profile('audit', ssoProfile, 'corp');
    let dropped = 0;
    const proxy = createServer();
    proxy.on('connect', (_, socket) => {
      dropped += 1;
      socket.end();
    });
    vi.stubEnv('HTTPS_PROXY', await listening(proxy));
    const aws = createAws({ endpointUrl: null, maxSockets: 2, retryForMs: 3_000 });
    closing.push(() => aws.close());
    const failure: unknown = await identifyCaller(aws, { region: 'us-east-1' }).catch(
      (error: unknown) => error,
    );
    if (!(failure instanceof UnavailableError)) throw new Error(`no UnavailableError: ${String(failure)}`);
    expect(failure.message).toContain('before receiving CONNECT response');
    expect(failure.message).not.toMatch(/AWS_PROFILE|AWS_ACCESS_KEY_ID/);
    expect(dropped).toBeGreaterThan(1);
  });
});

describe('credentials are asked for', () => {
  /** A proxy that lets nothing through, and tells which hosts were asked for. */
  async function hostsAsked(): Promise<string[]> {
    const hosts: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket) => {
      hosts.push(String(request.url));
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
    });
    vi.stubEnv('HTTPS_PROXY', await listening(proxy));
    await expect(callerCredentials(shared(), 'eu-central-1')()).rejects.toThrow();
    return hosts;
  }

  it('in the region that an SSO profile names for SSO, whatever its own', async () => {
    await profile('audit', ssoProfile, 'corp');
    expect(await hostsAsked()).toEqual(['portal.sso.us-west-2.amazonaws.com:443']);
  });

  it('in the caller’s region for a web identity (IRSA)', async () => {
    await writeFile(join(home, 'token'), 'a web identity');
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(home, 'token'));
    vi.stubEnv('AWS_ROLE_ARN', `arn:aws:iam::${account}:role/Exporter`);
    expect(await hostsAsked()).toEqual(['sts.eu-central-1.amazonaws.com:443']);
  });

  it.each([
    ['in the caller’s region for the role of a profile without one', '', 'eu-central-1'],
    ['in its own region for the role of a profile that has one', 'region = ap-south-1\n', 'ap-south-1'],
  ])('%s', async (_, region, expected) => {
    const source = '[profile source]\naws_access_key_id = AKIASOURCE\naws_secret_access_key = s\n';
    const role = `role_arn = arn:aws:iam::${account}:role/Exporter\nsource_profile = source\n`;
    await profile('exporter', `${role}${region}${source}`, 'none');
    expect(await hostsAsked()).toEqual([`sts.${expected}.amazonaws.com:443`]);
  });
});
