/**
 * S3 servers that nobody here wrote, installed from their registries and started on 127.0.0.1.
 * Needs Go and npm. What was built is kept in node_modules/.cache/peers.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { goCommand, goProgram } from './go.ts';
import { pythonPeers } from './python.ts';

export interface S3Server {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** Exists, and is empty. */
  readonly bucket: string;
  stop(): Promise<void>;
}

const peers = join(import.meta.dirname, '../../node_modules/.cache/peers');

const versitygw = join(import.meta.dirname, 'versitygw');
const gofakes3 = {
  module: 'github.com/johannesboyne/gofakes3/cmd/gofakes3',
  version: 'v1.2.0',
  name: 'gofakes3',
};

const s3rver = { version: '3.7.1', name: 's3rver', program: 'bin/s3rver.js' };

/** s3rver knows no other key. */
const keys = {
  accessKeyId: 'S3RVER',
  secretAccessKey: 'S3RVER',
  region: 'us-east-1',
  bucket: 'peer-lake',
};

/**
 * versitygw over a temporary folder: checks signatures, and honours `If-Match` and `If-None-Match`. The folder's
 * file system needs extended attributes: with `--sidecar` instead, an ETag is not replaced together with its
 * object, and two writers lose updates.
 * @param accessKey the one that it lets in; its own when not said
 * @param versioned whether its bucket keeps the versions of objects
 */
export async function startConditionalS3(
  accessKey: Pick<S3Server, 'accessKeyId' | 'secretAccessKey'> = keys,
  versioned = false,
): Promise<S3Server> {
  const program = await goProgram(versitygw, 'versitygw');
  const folder = await mkdtemp(join(tmpdir(), 'bce-versitygw-'));
  const data = join(folder, 'data');
  await mkdir(data);
  const versions = join(folder, 'versions');
  if (versioned) await mkdir(versions);
  const server = await started(
    folder,
    program,
    (port) => [
      ...['-access', accessKey.accessKeyId, '-secret', accessKey.secretAccessKey, '-region', keys.region],
      ...['-address', `127.0.0.1:${port}`],
      ...(versioned ? ['-versions', versions] : []),
      data,
    ],
    accessKey,
  );
  if (versioned) await enableVersions(server);
  return server;
}

async function enableVersions({
  endpoint,
  region,
  bucket,
  accessKeyId,
  secretAccessKey,
}: S3Server): Promise<void> {
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
  client.destroy();
}

/** s3rver, of 2021: takes the conditions of a write, and ignores them. */
export async function startIgnorantS3(): Promise<S3Server> {
  const program = await installedWithNpm(s3rver);
  const folder = await mkdtemp(join(tmpdir(), 'bce-s3rver-'));
  return await started(folder, process.execPath, (port) => [
    ...[program, '--directory', folder, '--address', '127.0.0.1', '--port', String(port)],
    ...['--silent', '--no-vhost-buckets'],
  ]);
}

/** gofakes3: honours the conditions of a PUT, and ignores them when a multipart upload is completed. */
export async function startHalfIgnorantS3(): Promise<S3Server> {
  const program = await goCommand(gofakes3);
  const folder = await mkdtemp(join(tmpdir(), 'bce-gofakes3-'));
  return await started(folder, program, (port) => ['-backend', 'memory', '-host', `127.0.0.1:${port}`]);
}

/** moto, from the Python peers. */
export async function startMotoS3(): Promise<S3Server> {
  const program = join(await pythonPeers(), 'moto_server');
  const folder = await mkdtemp(join(tmpdir(), 'bce-moto-'));
  return await started(folder, program, (port) => ['-H', '127.0.0.1', '-p', String(port)]);
}

/** The path of the package's program; installed at the first call on a machine, away from our own packages. */
async function installedWithNpm(peer: { version: string; name: string; program: string }): Promise<string> {
  const folder = join(peers, `${peer.name}-${peer.version}`);
  const program = join(folder, 'node_modules', peer.name, peer.program);
  if (await isThere(program)) return program;
  await mkdir(peers, { recursive: true });
  const installing = await mkdtemp(join(peers, 'installing-'));
  const install = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', installing];
  await promisify(execFile)('npm', [...install, `${peer.name}@${peer.version}`], { timeout: 10 * 60_000 });
  await takePlace(installing, folder);
  return program;
}

/** Renamed into place only when whole; whoever comes second throws its own away. */
async function takePlace(made: string, place: string): Promise<void> {
  await rename(made, place).catch(async (error) => {
    if (!(await isThere(place))) throw error;
    await rm(made, { recursive: true, force: true });
  });
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

async function started(
  folder: string,
  program: string,
  argumentsFor: (port: number) => string[],
  accessKey: Pick<S3Server, 'accessKeyId' | 'secretAccessKey'> = keys,
): Promise<S3Server> {
  const port = await freePort();
  const server = spawn(program, argumentsFor(port), { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: Buffer[] = [];
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => said.push(chunk));
  const stop = async () => {
    await ended(server);
    await rm(folder, { recursive: true, force: true });
  };
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await madeBucket(endpoint, accessKey, server);
    return { endpoint, ...keys, ...accessKey, stop };
  } catch (error) {
    await stop();
    throw new Error(`${program} did not start: ${Buffer.concat(said).toString('utf8').slice(-2000)}`, {
      cause: error,
    });
  }
}

async function madeBucket(
  endpoint: string,
  credentials: Pick<S3Server, 'accessKeyId' | 'secretAccessKey'>,
  server: ChildProcess,
): Promise<void> {
  const client = new S3Client({ endpoint, region: keys.region, credentials, forcePathStyle: true });
  try {
    for (let tries = 100; ; tries -= 1) {
      try {
        await client.send(new CreateBucketCommand({ Bucket: keys.bucket }));
        return;
      } catch (error) {
        if (tries === 0 || server.exitCode !== null) throw error;
        await wait(100);
      }
    }
  } finally {
    client.destroy();
  }
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exit = once(server, 'exit');
  server.kill('SIGKILL');
  await exit;
}

/** Free a moment ago: these servers cannot be told to choose one and say which. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
