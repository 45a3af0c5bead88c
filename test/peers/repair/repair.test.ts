/** Every damage that `verify` finds, on an S3 server that nobody here wrote and that keeps versions: `repair` brings it back. */
import { hash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { DuckDBInstance } from '@duckdb/node-api';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseCheckpoint } from '../../../src/checkpoints/checkpoint.ts';
import { checkpointKey, statePageKey } from '../../../src/lake/layout.ts';
import type { Store } from '../../../src/lake/stores/store.ts';
import { lookAt } from '../../../src/repair/look.ts';
import { runRepair } from '../../../src/repair/repair.ts';
import type { RepairReport } from '../../../src/repair/repair-report.ts';
import { parseRepairSettings } from '../../../src/repair/repair-settings.ts';
import { forgedEnvelope, type KeyFiles, makeKey } from '../../checkpoints/signed-lake.ts';
import { openDescribed } from '../../lake/stores/described-store.ts';
import { type Flags, type Lab, openLab } from '../../support/lab.ts';
import { silentProgress } from '../../support/silent-progress.ts';
import { type S3Server, startConditionalS3 } from '../s3-servers.ts';

const prefix = 'deep/lake/';
const nights = 3;
let lab: Lab;
let server: S3Server;
let store: Store;
let s3: S3Client;
let key: KeyFiles;
let flags: Flags;
/** The content of every object after each night, from 0 on. */
const states: Map<string, Uint8Array>[] = [];

beforeAll(async () => {
  lab = await openLab({ accounts: 2, regions: 1 });
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } =
    lab.environment as Record<string, string>;
  server = await startConditionalS3({ accessKeyId, secretAccessKey }, true);
  store = await openDescribed({ kind: 's3', prefix, ...server });
  const credentials = { accessKeyId, secretAccessKey };
  s3 = new S3Client({ endpoint: server.endpoint, region: server.region, credentials, forcePathStyle: true });
  key = await makeKey(lab.folder, 'key');
  flags = {
    lake: `s3://${server.bucket}/deep/lake`,
    's3-endpoint-url': server.endpoint,
    witness: join(lab.folder, 'witness'),
  };
  for (let night = 0; night < nights; night += 1) {
    if (night > 0) await lab.simulator.advance(86_400_000);
    const run = await lab.run({ ...flags, 'signing-key': key.privateFile });
    expect(run).toMatchObject({ exit_code: 0, checkpoint: { number: night + 1 } });
    states.push(await contents());
  }
});
afterAll(async () => {
  s3?.destroy();
  await store?.close();
  await server?.stop();
  await lab?.close();
});

async function contents(): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for await (const one of store.list('')) found.set(one, await bytesOf(one));
  return found;
}

async function bytesOf(one: string): Promise<Uint8Array> {
  return (await store.read(one))?.bytes ?? new Uint8Array();
}

/** As somebody else would: without the program's metadata. */
async function put(one: string, bytes: Uint8Array | string): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: server.bucket, Key: prefix + one, Body: bytes }));
}

async function remove(one: string): Promise<void> {
  await s3.send(new DeleteObjectCommand({ Bucket: server.bucket, Key: prefix + one }));
}

async function eraseVersions(one: string): Promise<void> {
  const listed = await s3.send(
    new ListObjectVersionsCommand({ Bucket: server.bucket, Prefix: prefix + one }),
  );
  for (const { VersionId } of [...(listed.Versions ?? []), ...(listed.DeleteMarkers ?? [])]) {
    const target = { Bucket: server.bucket, Key: prefix + one };
    await s3.send(new DeleteObjectCommand(VersionId === undefined ? target : { ...target, VersionId }));
  }
}

async function repair(change: Flags = {}): Promise<RepairReport> {
  const settings = parseRepairSettings({
    flags: { ...flags, 'public-key': [key.publicFile], scratch: join(lab.folder, 'scratch'), ...change },
    env: {},
    cwd: lab.folder,
    temporaryFolder: tmpdir(),
    readFile: () => '',
  });
  const log = pino({ level: 'silent' });
  const stopping = new AbortController().signal;
  const progress = silentProgress;
  const io = { log, progress, stopping, programVersion: '0.0.0-test', now: Date.now };
  return await runRepair(settings, {
    ...io,
    verify: () => lookAt(settings, io),
  });
}

function hashes(of: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries([...of].map(([one, bytes]) => [one, hash('sha256', bytes)]));
}

/** All that proves something: not the caches, and of the states only the newest. */
function compared(of: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  const pages = new Set(newestPages());
  const counts = ([one]: readonly [string, Uint8Array]) =>
    !/^_ledger\/(probe\.json|watermarks\/|creation-dates\/|row-digests\/|part-counts\/)/.test(one) &&
    (!one.startsWith('_ledger/lake-state/') || pages.has(one));
  return hashes(new Map([...of].filter(counts)));
}

function newestPages(): string[] {
  const { checkpoint } = parseCheckpoint(nights, newest().get(checkpointKey(nights)) ?? new Uint8Array());
  return checkpoint.pages.map(({ root }) => statePageKey(root));
}

const newest = (): ReadonlyMap<string, Uint8Array> => states[nights - 1] ?? new Map();

/** The keys of a table or of a folder of the ledger, sorted. */
function keysOf(folder: string): string[] {
  return [...newest().keys()].filter((one) => one.startsWith(`${folder}/`)).sort();
}

function nth<T>(list: readonly T[], at: number): T {
  const found = list.at(at);
  if (found === undefined) throw new Error('the lake is smaller than that');
  return found;
}

/** The part, written anew by DuckDB from a query over its rows. */
async function rewritten(one: string, sql: string): Promise<Uint8Array> {
  const [before, after] = ['before', 'after'].map((name) => join(lab.folder, `${name}.parquet`));
  await writeFile(String(before), await bytesOf(one));
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run(`CREATE TABLE part AS FROM read_parquet('${before}', hive_partitioning = false)`);
  await connection.run(`COPY (${sql}) TO '${after}' (FORMAT parquet)`);
  connection.closeSync();
  return await readFile(String(after));
}

const aPart = () => nth(keysOf('copy_jobs'), 1);
const anotherDay = () => nth(keysOf('copy_jobs'), 2);
const manifests = () => keysOf('_ledger/runs').filter((one) => !one.endsWith('.begin.json'));

const damages: readonly (readonly [string, () => Promise<void>])[] = [
  ['a part was deleted', () => remove(aPart())],
  [
    'a part was swapped with that of another day',
    async () => {
      const [one, other] = [await bytesOf(aPart()), await bytesOf(anotherDay())];
      await put(aPart(), other);
      await put(anotherDay(), one);
    },
  ],
  [
    'a part was rolled back',
    async () => {
      const [older] = states;
      const one = [...(older ?? [])].find(
        ([name, bytes]) =>
          name.startsWith('copy_jobs/') && Buffer.compare(bytes, newest().get(name) ?? bytes) !== 0,
      );
      if (one === undefined) throw new Error('no part changed since the first night');
      await put(one[0], one[1]);
    },
  ],
  [
    'a part was edited, with as many rows',
    async () => put(aPart(), await rewritten(aPart(), "SELECT * REPLACE ('COMPLETED' AS state) FROM part")),
  ],
  ['a part was truncated', async () => put(aPart(), (await bytesOf(aPart())).subarray(0, 1000))],
  [
    'a row was doubled',
    async () => put(aPart(), await rewritten(aPart(), 'FROM part UNION ALL (FROM part LIMIT 1)')),
  ],
  [
    'rows were sorted otherwise',
    async () => put(aPart(), await rewritten(aPart(), 'FROM part ORDER BY copy_job_id DESC')),
  ],
  [
    'a foreign part was added',
    async () => put(aPart().replace('part-00000', 'part-00001'), await bytesOf(aPart())),
  ],
  [
    'a part was added for a day without one',
    async () => put('copy_jobs/creation_date=2020-01-01/part-00000.parquet', await bytesOf(aPart())),
  ],
  ['a coverage file was deleted', () => remove(nth(keysOf('export_coverage'), 0))],
  [
    'a begin record was deleted',
    () =>
      remove(
        nth(
          keysOf('_ledger/runs').filter((one) => one.endsWith('.begin.json')),
          0,
        ),
      ),
  ],
  ['a manifest was deleted', () => remove(nth(manifests(), 0))],
  [
    'a manifest was edited',
    async () =>
      put(
        nth(manifests(), 0),
        Buffer.from(await bytesOf(nth(manifests(), 0)))
          .toString()
          .replace('"rows": ', '"rows": 1'),
      ),
  ],
  ['the newest manifest was removed', () => remove(nth(manifests(), -1))],
  [
    'lake.json was edited',
    async () =>
      put(
        '_ledger/lake.json',
        Buffer.from(await bytesOf('_ledger/lake.json'))
          .toString()
          .replace('"buckets": 1', '"buckets": 2'),
      ),
  ],
  ['a checkpoint was removed', () => remove(nth(keysOf('_ledger/checkpoints'), 1))],
  [
    'the pages of the newest state were removed',
    async () => Promise.all(newestPages().map(remove)).then(() => undefined),
  ],
  [
    'the chain was forged with another key',
    async () => {
      const other = await makeKey(lab.folder, 'other');
      for (const one of keysOf('_ledger/checkpoints'))
        await put(one, await forgedEnvelope(await bytesOf(one), other.signing));
    },
  ],
  ['the newest run was removed, with all that it wrote', () => rollBack(states[nights - 2] ?? new Map())],
  ['the whole lake was put back to its first night', () => rollBack(states[0] ?? new Map())],
];

async function rollBack(to: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [one, bytes] of newest()) {
    const before = to.get(one);
    if (before === undefined) await remove(one);
    else if (Buffer.compare(before, bytes) !== 0) await put(one, before);
  }
}

it.each(damages)('%s: a dry run changes nothing, and --apply brings everything back', async (_, damage) => {
  await damage();
  const damaged = hashes(await contents());
  const dry = await repair();
  expect(dry).toMatchObject({ exit_code: 80, applied: false, looks: 1 });
  expect(dry.objects.some(({ outcome }) => outcome.startsWith('would-'))).toBe(true);
  expect(hashes(await contents())).toEqual(damaged);
  const report = await repair({ apply: 'true' });
  expect({ ...report, objects: report.damage_left === 0 ? [] : report.objects }).toMatchObject({
    exit_code: 0,
    damage_left: 0,
    objects: [],
  });
  expect(compared(await contents())).toEqual(compared(newest()));
});

it('an edited watermark is emptied, so that the next run reads everything', async () => {
  const one = '_ledger/watermarks/00000.json';
  const marks = JSON.parse(Buffer.from(await bytesOf(one)).toString());
  for (const mark of Object.values(marks.targets) as { covered_from: string }[])
    mark.covered_from = '2020-01-01T00:00:00.000Z';
  await put(one, JSON.stringify(marks));
  const report = await repair({ apply: 'true' });
  expect(report).toMatchObject({ exit_code: 0, objects: [{ key: one, outcome: 'reset' }] });
  expect(JSON.parse(Buffer.from(await bytesOf(one)).toString())).toEqual({ format: 1, targets: {} });
});

it('the lake equals the truth after all repairs, and goes on', async () => {
  const run = await lab.run({ ...flags, 'signing-key': key.privateFile });
  expect(run).toMatchObject({ exit_code: 0, checkpoint: { number: nights + 1, unexplained_parts: [] } });
  await rm(lab.lake, { recursive: true, force: true });
  for (const [one, bytes] of await contents()) {
    await mkdir(dirname(join(lab.lake, one)), { recursive: true });
    await writeFile(join(lab.lake, one), bytes);
  }
  expect(await lab.differences()).toEqual([]);
});

it('says what is lost when no version has it', async () => {
  const report = await repair();
  expect(report).toMatchObject({ exit_code: 0, objects: [] });
  const one = aPart();
  await remove(one);
  await eraseVersions(one);
  const { objects } = await repair({ apply: 'true' });
  expect(objects).toEqual([expect.objectContaining({ key: one, outcome: 'read-again' })]);
});
