/**
 * S3 servers that nobody here wrote, built from their Go modules and started on 127.0.0.1. Needs Go.
 * Binaries are kept in node_modules/.cache/peers/bin.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

export interface S3Server {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** Exists, and is empty. */
  readonly bucket: string;
  stop(): Promise<void>;
}

/** Pinned: what is proven about a peer is proven about a version. */
const versitygw = {
  module: 'github.com/versity/versitygw/cmd/versitygw',
  version: 'v1.8.0',
  name: 'versitygw',
};
const gofakes3 = {
  module: 'github.com/johannesboyne/gofakes3/cmd/gofakes3',
  version: 'v1.2.0',
  name: 'gofakes3',
};

const keys = {
  accessKeyId: 'AKIDPEER',
  secretAccessKey: 'peer-secret',
  region: 'us-east-1',
  bucket: 'peer-lake',
};

/** versitygw over a temporary folder: checks signatures, and honours `If-Match` and `If-None-Match`. */
export async function startConditionalS3(): Promise<S3Server> {
  const program = await builtWithGo(versitygw);
  const folder = await mkdtemp(join(tmpdir(), 'bce-versitygw-'));
  const [data, sidecar] = [join(folder, 'data'), join(folder, 'meta')];
  await Promise.all([mkdir(data), mkdir(sidecar)]);
  // The sidecar keeps metadata where the file system (tmpfs, overlays) has no extended attributes.
  return await started(folder, program, (port) => [
    ...['--access', keys.accessKeyId, '--secret', keys.secretAccessKey, '--region', keys.region],
    ...['--port', `127.0.0.1:${port}`, '--quiet', 'posix', '--sidecar', sidecar, data],
  ]);
}

/** gofakes3: takes the conditions of a write, and ignores them. */
export async function startIgnorantS3(): Promise<S3Server> {
  const program = await builtWithGo(gofakes3);
  const folder = await mkdtemp(join(tmpdir(), 'bce-gofakes3-'));
  return await started(folder, program, (port) => ['-backend', 'memory', '-host', `127.0.0.1:${port}`]);
}

/** The binary's path; built at the first call on a machine. Tests side by side may both build it. */
async function builtWithGo(peer: { module: string; version: string; name: string }): Promise<string> {
  const folder = join(import.meta.dirname, '../../node_modules/.cache/peers/bin');
  const binary = join(folder, `${peer.name}-${peer.version}`);
  const isThere = await access(binary).then(
    () => true,
    () => false,
  );
  if (isThere) return binary;
  await mkdir(folder, { recursive: true });
  const building = await mkdtemp(join(folder, 'building-'));
  await promisify(execFile)('go', ['install', `${peer.module}@${peer.version}`], {
    env: { ...process.env, GOBIN: building },
    timeout: 15 * 60_000,
  });
  await rename(join(building, peer.name), binary);
  await rm(building, { recursive: true, force: true });
  return binary;
}

async function started(
  folder: string,
  program: string,
  argumentsFor: (port: number) => string[],
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
    await madeBucket(endpoint, server);
    return { endpoint, ...keys, stop };
  } catch (error) {
    await stop();
    throw new Error(`${program} did not start: ${Buffer.concat(said).toString('utf8').slice(-2000)}`, {
      cause: error,
    });
  }
}

async function madeBucket(endpoint: string, server: ChildProcess): Promise<void> {
  const client = new S3Client({ endpoint, region: keys.region, credentials: keys, forcePathStyle: true });
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
