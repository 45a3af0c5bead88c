import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { openCommandLines } from '../support/command-lines.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
let folder: string;
let child: ChildProcess | null = null;
const commandLines = openCommandLines(tmpdir());
afterAll(() => commandLines.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulate-'));
});
afterEach(async () => {
  if (child !== null && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  child = null;
  await rm(folder, { recursive: true });
});

function start(...args: string[]) {
  const process_ = spawn(process.execPath, [cli, 'simulate', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  child = process_;
  const output = { stdout: '', stderr: '' };
  process_.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  process_.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  const ended = once(process_, 'close').then(([code]) => ({ code, ...output }));
  const ready = once(createInterface(process_.stdout), 'line').then(([line]) => {
    // Safe: the contract of the line; the test looks at its members.
    return JSON.parse(String(line)) as { endpoint: string; env: Record<string, string> };
  });
  return { process: process_, ended, ready, said: () => output };
}

it('says where it listens in one line of JSON, and stops on a signal', async () => {
  const truth = join(folder, 'truth.ndjson');
  const faults = join(folder, 'faults.json');
  await writeFile(faults, JSON.stringify([{ kind: 'slow', ms: 1 }]));
  const run = start(
    ...['--accounts', '2', '--regions=1', '--jobs-per-day', '3', '--days', '5', '--seed', '11'],
    ...['--now', '2027-02-03T04:05:06Z', '--latency-ms', '1', '--truth', truth, '--faults', faults],
    ...['--children', 'hidden', '--list-in-destination', '--port', '0'],
  );
  const { endpoint, env } = await run.ready;
  expect(endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const services = ['BACKUP', 'STS', 'ORGANIZATIONS', 'ACCOUNT', 'EC2'];
  for (const service of services) expect(env[`AWS_ENDPOINT_URL_${service}`]).toBe(endpoint);
  expect(Object.keys(env).filter((name) => name.startsWith('AWS_ENDPOINT'))).toHaveLength(services.length);
  expect(env.AWS_REGION).toBe('us-east-1');
  const clock = await (await fetch(`${endpoint}/_simulator/clock`)).json();
  expect(clock).toEqual({ now: '2027-02-03T04:05:06.000Z' });
  const kinds = await (await fetch(`${endpoint}/_simulator/faults`)).json();
  expect(kinds).toEqual([{ kind: 'slow', ms: 1, met: 0 }]);
  const lines = (await readFile(truth, 'utf8')).trim().split('\n');
  expect(lines.every((line) => JSON.parse(line).region === 'us-east-1')).toBe(true);
  const sts = new STSClient({
    endpoint: env.AWS_ENDPOINT_URL_STS ?? '',
    region: env.AWS_REGION ?? '',
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    },
  });
  expect((await sts.send(new GetCallerIdentityCommand({}))).Account).toMatch(/^\d{12}$/);
  run.process.kill('SIGTERM');
  const { code, stdout } = await run.ended;
  expect(code).toBe(0);
  expect(stdout.split('\n')).toHaveLength(2);
});

it('listens on the loopback only', async () => {
  const run = start('--accounts', '1', '--regions', '1', '--jobs-per-day', '0');
  const { endpoint } = await run.ready;
  // The whole of 127.0.0.0/8 is this machine: a server on all addresses would answer there, too.
  const socket = connect(Number(new URL(endpoint).port), '127.0.0.2');
  const event = await once(socket, 'connect').then(
    () => 'connected',
    () => 'refused',
  );
  socket.destroy();
  expect(event).toBe('refused');
  run.process.kill('SIGINT');
  expect((await run.ended).code).toBe(0);
});

it.each([
  ['--accounts', '0'],
  ['--accounts', 'many'],
  ['--regions', '99'],
  ['--days', '2.5'],
  ['--now', 'yesterday'],
  ['--children', 'some'],
  ['--faults', '/nowhere/faults.json'],
  ['--colour', 'red'],
])('refuses %s %s as a matter of usage', async (...args) => {
  const { code, stdout, stderr } = await commandLines.run(['simulate', ...args]);
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
  expect(stderr).toContain(args[0]?.slice(2));
});

it('says which kinds of faults there are when one is not known', async () => {
  const faults = join(folder, 'faults.json');
  await writeFile(faults, JSON.stringify([{ kind: 'meteor' }]));
  const { code, stderr } = await commandLines.run(['simulate', '--faults', faults]);
  expect(code).toBe(64);
  expect(stderr).toContain('meteor');
  expect(stderr).toContain('repeat-token');
});

it('says when its port is taken, or the truth cannot be written', async () => {
  const first = start('--accounts', '1', '--regions', '1', '--jobs-per-day', '1');
  const { endpoint } = await first.ready;
  const holder = first.process;
  const second = start('--port', new URL(endpoint).port, '--accounts', '1', '--regions', '1');
  const taken = await second.ended;
  expect(taken).toMatchObject({ code: 64, stderr: expect.stringContaining('EADDRINUSE') });
  await writeFile(join(folder, 'file'), '');
  const third = start('--truth', join(folder, 'file', 'truth.ndjson'), '--accounts', '1', '--regions', '1');
  const unwritable = await third.ended;
  expect(unwritable).toMatchObject({ code: 74, stderr: expect.stringContaining('truth') });
  holder.kill('SIGTERM');
  await first.ended;
});

it('prints the exports to paste on stderr, and with --output json nothing but its line', async () => {
  const run = start('--accounts', '1', '--regions=1', '--days', '1');
  const { env } = await run.ready;
  await expect.poll(() => run.said().stderr).toContain('AWS_SECRET_ACCESS_KEY');
  for (const [name, value] of Object.entries(env)) {
    expect(run.said().stderr.split('\n')).toContain(`export ${name}='${value}'`);
  }
  run.process.kill('SIGTERM');
  expect((await run.ended).code).toBe(0);
  const quiet = start('--accounts', '1', '--regions=1', '--days', '1', '--output', 'json');
  await quiet.ready;
  quiet.process.kill('SIGTERM');
  expect(await quiet.ended).toMatchObject({ code: 0, stderr: '' });
});
