import { execFile } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type ClientRequest, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, expect, it, vi } from 'vitest';
import { startRun } from '../../src/export/start-run.ts';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab | undefined;
afterEach(async () => {
  vi.unstubAllEnvs();
  await lab?.close();
});

/** The requests of this process that have left when `sent` resolves, by their ports; the response of STS comes much later. */
async function sentBy(
  { settings, io, simulator }: Lab,
  flags: Parameters<Lab['settings']>[0] = {},
): Promise<readonly number[]> {
  const requests: ClientRequest[] = [];
  // Safe: nodejs.org/api/diagnostics_channel.html, http.client.request.created.
  const note = (message: unknown) => void requests.push((message as { request: ClientRequest }).request);
  subscribe('http.client.request.created', note);
  const { asked, sent, stops } = startRun(settings(flags), io(new AbortController().signal));
  const { aws, identified } = await asked;
  try {
    let isIdentified = false;
    const answered = identified.then(({ caller }) => {
      isIdentified = true;
      return caller;
    });
    await sent;
    const left = requests.filter(({ writableFinished }) => writableFinished);
    expect(isIdentified).toBe(false);
    expect((await answered).accountId).toBe(simulator.organization.management.id);
    return left.map((request) => Number(new URL(`http://${request.getHeader('host')}`).port));
  } finally {
    unsubscribe('http.client.request.created', note);
    stops.dispose();
    aws.close();
  }
}

const portOf = (url: string) => Number(new URL(url).port);

it('has asked for the caller, the accounts and the regions long before a response comes', async () => {
  lab = await openLab({ latencyMs: 500 });
  const port = portOf(lab.simulator.endpoint);
  expect(await sentBy(lab)).toEqual([port, port, port]);
  expect(await sentBy(lab, { regions: 'us-east-1' })).toEqual([port, port]);
  expect(await sentBy(lab, { regions: 'us-east-1', accounts: 'self' })).toEqual([port]);
  const { units, management } = lab.simulator.organization;
  const [first = '', second = ''] = units.map(({ id }) => id);
  const inUnits = (ids: string) => ({ 'organizational-units': ids, regions: 'us-east-1' });
  // Below each unit, accounts and further units are listed.
  expect(await sentBy(lab, inUnits(first))).toEqual([port, port, port]);
  expect(await sentBy(lab, inUnits(`${first},${second}`))).toEqual([port, port, port, port, port]);
  const role = `arn:aws:iam::${management.id}:role/reads-the-organization`;
  expect(await sentBy(lab, { ...inUnits(first), 'organization-role-arn': role })).toEqual([port, port]);
});

it('waits for credentials that need a request of their own', async () => {
  lab = await openLab({ latencyMs: 500 });
  const { AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey } = lab.simulator.env;
  const Expiration = new Date(Date.now() + 3_600_000).toISOString();
  const server = createServer((_, response) => {
    response.end(JSON.stringify({ AccessKeyId, SecretAccessKey, Token: '', Expiration }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Safe: it listens on a port.
  const { port } = server.address() as AddressInfo;
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `http://127.0.0.1:${port}/credentials`);
  try {
    expect(await sentBy(lab)).toEqual([
      port,
      ...Array.from({ length: 3 }, () => portOf(lab?.simulator.endpoint ?? '')),
    ]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

it('needs the clients of no services but those it asks first: the others are loaded meanwhile', async () => {
  const loaded = (file: string) =>
    promisify(execFile)(process.execPath, [
      '--input-type=module',
      '--eval',
      `import { createRequire } from 'node:module';
       const file = ${JSON.stringify(new URL(`../../src/export/${file}`, import.meta.url).href)};
       await import(file);
       const names = Object.keys(createRequire(file).cache).map((path) =>
         /node_modules.(@aws-sdk.client-[a-z0-9]+)/.exec(path)?.[1]);
       console.log([...new Set(names)].filter((name) => name !== undefined).sort().join());`,
    ]);
  expect((await loaded('start-run.ts')).stdout.trim()).toBe(
    '@aws-sdk/client-account,@aws-sdk/client-organizations,@aws-sdk/client-sts',
  );
  expect((await loaded('export.ts')).stdout).toMatch(/client-backup.*client-sts/);
});
