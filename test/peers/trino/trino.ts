/** A Trino of its own on 127.0.0.1, in a temporary folder, with a catalog for each metastore that a test wants. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Server } from '../s3-servers.ts';
import { Trino } from './client.ts';
import { installedTrino, trinoVersion } from './install.ts';

export interface RunningTrino {
  readonly client: Trino;
  stop(): Promise<void>;
}

/** Neither UTC nor the session's zone, nor that of these tests: nothing may go by it. */
const serverZone = 'America/St_Johns';

/**
 * Trino with the Hive connector over a file metastore, as the catalog `lake`. A folder is `local:///path/`; with an
 * S3 server, `s3://bucket/prefix/` is there too. Prints what the installation took.
 */
export async function startTrino(s3?: S3Server): Promise<RunningTrino> {
  const installation = await installedTrino();
  const megabytes = Math.round(installation.bytes / 1e6);
  console.log(
    `Trino ${trinoVersion}: ${megabytes} MB, installed in ${installation.seconds} s${installation.fresh ? '' : ' some time ago'}`,
  );
  const folder = await mkdtemp(join(tmpdir(), 'bce-trino-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await mkdir(join(folder, 'catalog'));
  await writeFile(join(folder, 'catalog/lake.properties'), properties(hiveCatalog(folder, s3)));
  await writeFile(
    join(folder, 'config.properties'),
    properties({
      'node.environment': 'peers',
      'node.bind-ip': '127.0.0.1',
      'node.internal-address': '127.0.0.1',
      coordinator: 'true',
      'node-scheduler.include-coordinator': 'true',
      'http-server.http.port': String(port),
      'discovery.uri': url,
      'catalog.config-dir': join(folder, 'catalog'),
      'plugin.dir': join(installation.folder, 'plugin'),
      'query.max-memory-per-node': '600MB',
      'memory.heap-headroom-per-node': '300MB',
      // The tables are tiny, and planning takes most of the time: no search for the best order and way of joins, one task.
      'join-distribution-type': 'BROADCAST',
      'optimizer.join-reordering-strategy': 'NONE',
      'enable-dynamic-filtering': 'false',
      'task.concurrency': '1',
    }),
  );
  const program = [
    '-cp',
    `${installation.folder}/classes:${installation.folder}/lib/*`,
    'StartTrino',
    trinoVersion,
  ];
  const server = spawn('java', [...javaOptions(folder), ...program], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const failure = once(server, 'error').then(([error]) => String(error));
  let said = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-200_000);
    });
  }
  const stop = async () => {
    if (server.pid !== undefined && server.exitCode === null && server.signalCode === null) {
      const exit = once(server, 'exit');
      server.kill('SIGKILL');
      await exit;
    }
    await rm(folder, { recursive: true, force: true });
  };
  const client = new Trino(url);
  const ended = Promise.race([
    failure,
    once(server, 'exit').then(([code]) => `it ended with exit code ${code}`),
  ]);
  try {
    await Promise.race([
      client.ready(AbortSignal.timeout(180_000)),
      ended.then((reason) => Promise.reject(new Error(reason))),
    ]);
    return { client, stop };
  } catch (error) {
    await stop();
    const errors = said.slice(Math.max(0, said.indexOf('\tERROR\t') - 200)).slice(0, 6000);
    throw new Error(`Trino ${trinoVersion} did not start: ${String(error)}\n${errors}`, { cause: error });
  }
}

/**
 * Starts in half the time when code is compiled once and quickly; small enough for a machine of two cores. Room for
 * compiled code as Trino asks for it (trino.io/docs/435/installation/deployment.html): the 48 MB that a JVM of one
 * compiler takes by itself ran out in the course of these suites, and queries failed.
 */
function javaOptions(folder: string): readonly string[] {
  return [
    '-Xmx1500m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-XX:ReservedCodeCacheSize=512m',
    '-Djdk.attach.allowAttachSelf=true',
    `-Duser.timezone=${serverZone}`,
    `-Djava.io.tmpdir=${folder}`,
    `-Dconfig=${join(folder, 'config.properties')}`,
  ];
}

function hiveCatalog(folder: string, s3: S3Server | undefined): Readonly<Record<string, string>> {
  return {
    'connector.name': 'hive',
    'hive.metastore': 'file',
    'hive.table-statistics-enabled': 'false',
    'hive.metastore.catalog.dir': `local://${folder}/metastore`,
    'hive.collect-column-statistics-on-write': 'false',
    ...(s3 && {
      'fs.native-s3.enabled': 'true',
      's3.endpoint': s3.endpoint,
      's3.region': s3.region,
      's3.path-style-access': 'true',
      's3.aws-access-key': s3.accessKeyId,
      's3.aws-secret-key': s3.secretAccessKey,
    }),
  };
}

function properties(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** Free a moment ago: Trino must be told its own address before it starts. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
