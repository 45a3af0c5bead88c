/** What becomes of an error on its way to a person: at the start, when a role is assumed, and in a drain. */
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Aws, createAws } from '../../src/aws/aws.ts';
import { awsFailure } from '../../src/aws/failure.ts';
import { UnavailableError } from '../../src/shared/errors.ts';
import { identifyCaller } from '../../src/targets/caller.ts';
import { assumedRole } from '../../src/targets/credentials.ts';
import { adviceFor } from '../../src/telemetry/advice.ts';
import { type Bench, type BenchOptions, startBench, staticCredentials } from '../source/reading.ts';
import {
  type Asked,
  callerIdentity,
  type Reply,
  refusal,
  startScriptedAws,
  stsRefusal,
} from '../source/scripted-aws.ts';
import { selfSigned } from '../support/self-signed.ts';

const region = 'us-east-1';
const credentials = staticCredentials;
const role = { roleArn: 'arn:aws:iam::444455556666:role/Reader', sessionName: 'who', externalId: null };
const closing: (() => unknown)[] = [];

beforeEach(() => {
  for (const name of ['https_proxy', 'http_proxy', 'all_proxy', 'no_proxy']) {
    vi.stubEnv(name, '');
    vi.stubEnv(name.toUpperCase(), '');
  }
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  vi.unstubAllEnvs();
});

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  return `127.0.0.1:${port}`;
}

async function asking(endpointUrl: string | null): Promise<Aws> {
  const aws = createAws({ endpointUrl, maxSockets: 2 });
  closing.push(() => aws.close());
  return aws;
}

async function bench(script: (asked: Asked) => Reply, options: BenchOptions = {}): Promise<Bench> {
  const started = await startBench(script, options);
  closing.push(() => started.close());
  return started;
}

const failureOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error('nothing failed'),
    (error: Error) => error,
  );

describe('a session token that AWS quotes', () => {
  const token = `IQoJb3JpZ2luX2Vj${'A1b2'.repeat(20)}`;
  const quoted = `The Canonical String for this request should have been 'GET\n/copy-jobs/\n\nx-amz-security-token:${token}\n'`;
  const now = () => new Date().toUTCString();

  it('is in no report of a drain', async () => {
    const { readJobs } = await bench(() => ({
      ...(refusal('InvalidSignatureException', quoted, 403) as object),
      date: now(),
    }));
    const report = await readJobs();
    expect(report.status).toBe('ACCESS_DENIED');
    expect(report.errorMessage).toContain('should have been');
    expect(report.errorMessage).not.toContain(token);
  });

  it('is in no error at the start, nor in that of a role', async () => {
    const sts = await startScriptedAws(() => ({
      ...(stsRefusal('SignatureDoesNotMatch', quoted) as object),
      date: now(),
    }));
    closing.push(() => sts.close());
    const aws = await asking(sts.endpoint);
    const start = await failureOf(identifyCaller(aws, { region, credentials }));
    const assuming = await failureOf(assumedRole(aws, credentials, region, role)());
    for (const { message } of [start, assuming, awsFailure(assuming)]) {
      expect(message).toContain('should have been');
      expect(message).not.toContain(token);
    }
  });
});

describe('a proxy that answers 403 in AWS’s place', () => {
  const html = '<html>host not in allow list</html>';

  async function startProxy(): Promise<string> {
    const proxy = createServer((_, response) => response.writeHead(403).end(html));
    proxy.on('connect', (_, socket) =>
      socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n${html}`),
    );
    return `http://${await listening(proxy)}`;
  }

  it('is named at the start, and when a role is assumed', async () => {
    vi.stubEnv('HTTPS_PROXY', await startProxy());
    const aws = await asking(null);
    const start = await failureOf(identifyCaller(aws, { region, credentials }));
    const assuming = await failureOf(assumedRole(aws, credentials, region, role)());
    for (const failure of [start, assuming]) {
      expect(failure).toBeInstanceOf(UnavailableError);
      expect(failure.message).toMatch(/something between the job and AWS answered 403.*NO_PROXY/);
    }
  });

  it('is UNREACHABLE in a drain, in words that are not the parser’s, after few tries', async () => {
    vi.stubEnv('HTTP_PROXY', await startProxy());
    const { readJobs } = await bench(() => callerIdentity());
    const report = await readJobs();
    expect(report.status).toBe('UNREACHABLE');
    expect(report.errorMessage).toBe(
      'something between the job and AWS answered 403 in place of 127.0.0.1: “host not in allow list”',
    );
    expect(report.retries).toBe(5);
  });

  it('is told from AWS, which sends a request id also where it gives no reason', async () => {
    const { readJobs } = await bench(() => ({ status: 403, body: html, date: new Date().toUTCString() }));
    expect((await readJobs()).status).toBe('ACCESS_DENIED');
  });
});

describe('a certificate of an unknown authority', () => {
  it('is an UnavailableError that names NODE_EXTRA_CA_CERTS, at the start and when a role is assumed', async () => {
    const aws = await asking(`https://${await listening(createTlsServer(selfSigned()))}`);
    const start = await failureOf(identifyCaller(aws, { region, credentials }));
    const assuming = await failureOf(assumedRole(aws, credentials, region, role)());
    for (const failure of [start, assuming]) {
      expect(failure).toBeInstanceOf(UnavailableError);
      expect(failure.message).toMatch(/DEPTH_ZERO_SELF_SIGNED_CERT.*NODE_EXTRA_CA_CERTS/);
    }
  });

  it('is UNREACHABLE in a drain whose role cannot be assumed for it, with the same advice', async () => {
    const endpoint = `https://${await listening(createTlsServer(selfSigned()))}`;
    const atSts = await bench(() => callerIdentity(), {
      credentials: assumedRole(await asking(endpoint), credentials, region, role),
    });
    const report = await atSts.readJobs();
    expect(report.status).toBe('UNREACHABLE');
    expect(report.errorMessage).toContain('NODE_EXTRA_CA_CERTS');
    expect(report.retries).toBe(2);
    expect(atSts.server.asked).toEqual([]);
    expect(adviceFor('UNREACHABLE', report.errorName)).toContain('NODE_EXTRA_CA_CERTS');
    expect(adviceFor('UNREACHABLE', 'ECONNREFUSED')).not.toContain('NODE_EXTRA_CA_CERTS');
  });
});
