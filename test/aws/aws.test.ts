import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Aws, createAws } from '../../src/aws/aws.ts';
import { UnavailableError } from '../../src/shared/errors.ts';
import { identifyCaller } from '../../src/targets/caller.ts';
import { staticCredentials } from '../source/reading.ts';
import { callerIdentity, type ScriptedAws, startScriptedAws } from '../source/scripted-aws.ts';

const region = 'us-east-1';
const credentials = staticCredentials;
let server: ScriptedAws;
let aws: Aws | null = null;
let proxy: Server | null = null;

beforeEach(async () => {
  for (const name of ['https_proxy', 'http_proxy', 'all_proxy', 'no_proxy']) {
    vi.stubEnv(name, '');
    vi.stubEnv(name.toUpperCase(), '');
  }
  server = await startScriptedAws(() => callerIdentity('111122223333'));
});
afterEach(async () => {
  aws?.close();
  aws = null;
  await server.close();
  proxy?.closeAllConnections();
  await new Promise((resolve) => (proxy === null ? resolve(null) : proxy.close(resolve)));
  proxy = null;
  vi.unstubAllEnvs();
});

/** A proxy that notes what it is asked for, answers in AWS's place, and lets no tunnel through. */
async function startProxy() {
  const asked: string[] = [];
  const logins = new Set<string | undefined>();
  const started = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const reply = callerIdentity('999999999999') as { body: string };
    response.writeHead(200, { 'content-type': 'text/xml' }).end(reply.body);
  });
  started.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    logins.add(request.headers['proxy-authorization']);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  proxy = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  const { port } = started.address() as AddressInfo; // a TCP server that listens has one
  return { asked, logins, url: `http://127.0.0.1:${port}` };
}

describe('the endpoint', () => {
  it('is the one given, for every client', async () => {
    aws = createAws({ endpointUrl: server.endpoint, maxSockets: 2 });
    vi.stubEnv('AWS_ENDPOINT_URL_STS', 'http://127.0.0.1:9');
    expect((await identifyCaller(aws, { region, credentials })).caller.accountId).toBe('111122223333');
  });

  it('is left to the SDK’s own variables where none is given', async () => {
    aws = createAws({ endpointUrl: null, maxSockets: 2 });
    vi.stubEnv('AWS_ENDPOINT_URL_STS', server.endpoint);
    expect((await identifyCaller(aws, { region, credentials })).caller.accountId).toBe('111122223333');
  });
});

describe('the region', () => {
  it.each([
    ['given', 'eu-west-1', 'ap-south-1', 'eu-west-1'],
    ['of the environment', null, 'ap-south-1', 'ap-south-1'],
    ['us-east-1, where nothing names one', null, '', 'us-east-1'],
  ])('is the one %s', async (_, given, environment, expected) => {
    vi.stubEnv('AWS_REGION', environment);
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
    aws = createAws({ endpointUrl: server.endpoint, maxSockets: 2 });
    expect((await identifyCaller(aws, { region: given, credentials })).region).toBe(expected);
    expect(server.asked[0]?.region).toBe(expected);
  });

  it.each([
    ['AWS_REGION before AWS_DEFAULT_REGION', 'ap-south-1', 'eu-north-1', 'ap-south-1'],
    ['AWS_DEFAULT_REGION before the profile’s', '', 'eu-north-1', 'eu-north-1'],
    ['the profile’s where the environment names none', '', '', 'sa-east-1'],
  ])('is %s, as the AWS CLI has it', async (_, first, second, expected) => {
    const folder = await mkdtemp(join(tmpdir(), 'bce-region-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const config = join(folder, 'config');
    await writeFile(config, '[default]\nregion = sa-east-1\n');
    vi.stubEnv('AWS_REGION', first);
    vi.stubEnv('AWS_DEFAULT_REGION', second);
    vi.stubEnv('AWS_CONFIG_FILE', config);
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
    aws = createAws({ endpointUrl: server.endpoint, maxSockets: 2 });
    expect((await identifyCaller(aws, { credentials })).region).toBe(expected);
    expect(server.asked[0]?.region).toBe(expected);
  });
});

describe('a proxy', () => {
  it('is used where HTTP_PROXY names one', async () => {
    const { asked, url } = await startProxy();
    vi.stubEnv('HTTP_PROXY', url);
    aws = createAws({ endpointUrl: server.endpoint, maxSockets: 2 });
    expect((await identifyCaller(aws, { region, credentials })).caller.accountId).toBe('999999999999');
    expect(asked).toEqual([`POST ${server.endpoint}/`]);
  });

  it('is asked for a tunnel where HTTPS_PROXY names one, and its refusal is an UnavailableError', async () => {
    const { asked, url } = await startProxy();
    vi.stubEnv('HTTPS_PROXY', url);
    aws = createAws({ endpointUrl: null, maxSockets: 2 });
    await expect(identifyCaller(aws, { region, credentials })).rejects.toBeInstanceOf(UnavailableError);
    expect(new Set(asked)).toEqual(new Set(['CONNECT sts.us-east-1.amazonaws.com:443']));
  });

  it('is spoken to without TLS where HTTPS_PROXY has no scheme, and gets a password with # and @ as it is', async () => {
    const { asked, logins, url } = await startProxy();
    vi.stubEnv('HTTPS_PROXY', url.replace('http://', 'user:p#ss@rd%@'));
    aws = createAws({ endpointUrl: null, maxSockets: 2 });
    await expect(identifyCaller(aws, { region, credentials })).rejects.toBeInstanceOf(UnavailableError);
    expect(new Set(asked)).toEqual(new Set(['CONNECT sts.us-east-1.amazonaws.com:443']));
    expect([...logins]).toEqual([`Basic ${Buffer.from('user:p#ss@rd%').toString('base64')}`]);
  });

  it('is not used for a domain that NO_PROXY names without a dot', async () => {
    const { asked, url } = await startProxy();
    vi.stubEnv('HTTP_PROXY', url);
    vi.stubEnv('NO_PROXY', 'localhost');
    const { port } = new URL(server.endpoint);
    aws = createAws({ endpointUrl: `http://sts.localhost:${port}`, maxSockets: 2 });
    // Whether the system knows the name is its own matter: the proxy is not asked.
    await identifyCaller(aws, { region, credentials }).catch(() => undefined);
    expect(asked).toEqual([]);
  });

  it('is not used for hosts that NO_PROXY names', async () => {
    const { asked, url } = await startProxy();
    vi.stubEnv('HTTP_PROXY', url);
    vi.stubEnv('NO_PROXY', '127.0.0.1');
    aws = createAws({ endpointUrl: server.endpoint, maxSockets: 2 });
    expect((await identifyCaller(aws, { region, credentials })).caller.accountId).toBe('111122223333');
    expect(asked).toEqual([]);
  });
});

describe('a call', () => {
  it('that hangs is ended by the request time-out, for every client', async () => {
    const hanging = await startScriptedAws(() => 'hang');
    aws = createAws({ endpointUrl: hanging.endpoint, maxSockets: 2, requestTimeoutMs: 50 });
    const client = new STSClient({ ...aws.clientDefaults(region, credentials), maxAttempts: 1 });
    await expect(client.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    await hanging.close();
  });

  it('says who calls: the program’s name and version', async () => {
    aws = createAws({ endpointUrl: server.endpoint, maxSockets: 2 });
    await identifyCaller(aws, { region, credentials });
    expect(server.asked[0]?.userAgent).toMatch(/backup-copy-export\/\d+\.\d+\.\d+/);
  });

  it('uses no more sockets than allowed, beside the few for control', async () => {
    let open = 0;
    let most = 0;
    const slow = await startScriptedAws(async () => {
      open += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setTimeout(resolve, 30));
      open -= 1;
      return callerIdentity();
    });
    aws = createAws({ endpointUrl: slow.endpoint, maxSockets: 2 });
    const client = new STSClient(aws.clientDefaults(region, credentials));
    await Promise.all(Array.from({ length: 40 }, () => client.send(new GetCallerIdentityCommand({}))));
    expect(most).toBe(10);
    await slow.close();
  });
});
