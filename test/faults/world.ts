/** What a scenario happens in: a simulated AWS, perhaps an S3 server, the proxy before both, a lake, and one time for all. */
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { defaultOptions, type SimulatorOptions } from '../../src/simulator/simulator-options.ts';
import { type S3Server, startConditionalS3 } from '../peers/s3-servers.ts';
import type { Objects } from '../support/kill-points.ts';
import { type Launch, launch, preloaded, type Running } from './exporter.ts';
import { type KnownRows, type LakeView, viewLake } from './lake-view.ts';
import { type HurtfulProxy, startProxy } from './proxy.ts';
import { openUpstream } from './upstream.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly lake: 'local' | 's3';
  /**
   * How the program gets to AWS: by endpoint URLs; by AWS's own names over TLS through a proxy; or by AWS's own names
   * without a proxy.
   */
  readonly way: 'endpoint' | 'proxy' | 'names';
  readonly simulator: Partial<SimulatorOptions>;
}

export interface RunOptions {
  /** By their names without dashes; null takes one away that is there by default. */
  readonly flags?: Readonly<Record<string, string | null>>;
  /** Null takes one away. */
  readonly env?: Readonly<Record<string, string | null>>;
  readonly ofNode?: readonly string[];
  /** How far the machine's clock is off AWS's. */
  readonly clockOffMs?: number;
  /** What SIGUSR2 adds to that. */
  readonly clockJumpMs?: number;
  readonly stdoutFile?: string;
  readonly onLog?: (text: string) => void;
  /** With the way `names`: hosts that do not exist, and hosts of which no name server knows. */
  readonly names?: { readonly missing?: string; readonly silent?: string };
}

export type World = Awaited<ReturnType<typeof openWorld>>;

const deadlineMs = 60_000;
/** A stop may take 20 s (docs/operations.md); the rest is for a busy machine. */
const graceMs = 120_000;

export async function openWorld({ seed, lake, way, simulator: options }: WorldOptions) {
  const folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-faults-'));
  const simulator: Simulator = await startSimulator({
    ...defaultOptions,
    accounts: 3,
    regions: 2,
    jobsPerDay: 5,
    days: 6,
    seed,
    ...options,
  });
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = simulator.env;
  const s3: S3Server | null =
    lake === 's3' ? await startConditionalS3({ accessKeyId, secretAccessKey }) : null;
  const upstream = openUpstream(simulator, s3);
  const proxy: HurtfulProxy = await startProxy({ upstream, regions: simulator.regions, seed });
  const certificate = join(folder, 'authority.pem');
  await writeFile(certificate, proxy.certificate);
  const webIdentityToken = join(folder, 'token');
  await writeFile(webIdentityToken, 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJleHBvcnRlciJ9.c2lnbmF0dXJl');

  const lakeFolder = join(folder, 'lake');
  const lakeUrl = s3 === null ? lakeFolder : `s3://${s3.bucket}/deep/lake`;
  const mirror = join(folder, 'mirror');
  const known: KnownRows = new Map();
  const etags = new Map<string, string>();
  const direct =
    s3 === null
      ? null
      : new S3Client({ endpoint: s3.endpoint, region: s3.region, credentials: s3, forcePathStyle: true });

  const toAws = (): Record<string, string> => {
    if (way === 'proxy') return { HTTPS_PROXY: proxy.url, NODE_EXTRA_CA_CERTS: certificate };
    if (way === 'names') return { NODE_EXTRA_CA_CERTS: certificate };
    const services = ['BACKUP', 'STS', 'ORGANIZATIONS', 'ACCOUNT', 'EC2', 'S3'];
    return Object.fromEntries(services.map((service) => [`AWS_ENDPOINT_URL_${service}`, proxy.url]));
  };

  const launchOf = (run: RunOptions, deadline: number): Launch => {
    const flags: Record<string, string | null> = {
      lake: lakeUrl,
      accounts: 'all',
      scratch: join(folder, 'scratch'),
      'requests-per-second': '1000',
      'target-timeout': '20s',
      deadline: `${deadline / 1000}s`,
      output: 'json',
      'log-format': 'json',
      ...run.flags,
    };
    const env: Record<string, string | null> = {
      HOME: folder,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: simulator.regions[0] ?? '',
      // Loading the SDK's modules is most of a short run.
      NODE_COMPILE_CACHE: join(tmpdir(), 'backup-copy-export-faults-compiled'),
      ...toAws(),
      ...run.env,
    };
    const offset = simulator.now() - Date.now() + (run.clockOffMs ?? 0);
    const jump = run.clockJumpMs === undefined ? {} : { jump: String(run.clockJumpMs) };
    const names =
      way === 'names'
        ? preloaded('names', { port: String(proxy.securePort), ...given(run.names ?? {}) })
        : [];
    return {
      words: Object.entries(given(flags)).flatMap(([name, value]) => [`--${name}`, value]),
      env: given(env),
      cwd: folder,
      ofNode: [...preloaded('clock', { offset: String(offset), ...jump }), ...names, ...(run.ofNode ?? [])],
      patienceMs: deadline + graceMs,
      ...(run.stdoutFile === undefined ? {} : { stdoutFile: run.stdoutFile }),
      ...(run.onLog === undefined ? {} : { onLog: run.onLog }),
    };
  };

  return {
    folder,
    /** Of a local lake; of one on S3 its last mirror. */
    lakeFolder: s3 === null ? lakeFolder : mirror,
    lakeUrl,
    /** The path of a file with a token of a web identity. */
    webIdentityToken,
    simulator,
    proxy,
    s3,
    start: (run: RunOptions = {}, deadline = deadlineMs): Running => launch(launchOf(run, deadline)),
    /** What lies in the lake now. */
    async view(): Promise<LakeView> {
      if (direct !== null && s3 !== null) await mirrored(direct, s3.bucket, 'deep/lake/', mirror, etags);
      return await viewLake(s3 === null ? lakeFolder : mirror, known);
    },
    /** What the last view saw, each object with what changes when it is written again. */
    async objects(): Promise<Objects> {
      if (s3 !== null)
        return new Map([...etags].map(([key, etag]) => [key.slice('deep/lake/'.length), etag]));
      const names = await readdir(lakeFolder, { recursive: true }).catch(() => []);
      const found = names.map(async (name): Promise<[string, string] | null> => {
        const file = await stat(join(lakeFolder, name));
        return file.isFile() ? [name, `${file.mtimeMs} ${file.ino}`] : null;
      });
      return new Map((await Promise.all(found)).filter((one) => one !== null));
    },
    async close(): Promise<void> {
      direct?.destroy();
      await proxy.stop();
      upstream.stop();
      await simulator.stop();
      await s3?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function given(all: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
}

/**
 * Copies all below a prefix into a folder that then holds nothing else.
 * @param etags of what the folder holds already
 */
async function mirrored(
  client: S3Client,
  bucket: string,
  prefix: string,
  folder: string,
  etags: Map<string, string>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const gone = new Set(etags.keys());
  let token: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
    );
    for (const { Key: key = '', ETag: etag = '' } of page.Contents ?? []) {
      gone.delete(key);
      if (etags.get(key) === etag) continue;
      const file = join(folder, key.slice(prefix.length));
      await mkdir(dirname(file), { recursive: true });
      const { Body: body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      await writeFile(file, (await body?.transformToByteArray()) ?? '');
      etags.set(key, etag);
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
  for (const key of gone) {
    await rm(join(folder, key.slice(prefix.length)));
    etags.delete(key);
  }
}
