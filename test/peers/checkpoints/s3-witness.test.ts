/** A lake and its witness in two buckets of an S3 server that nobody here wrote. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, DeleteObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkpointKey } from '../../../src/lake/layout.ts';
import { type KeyFiles, makeKey } from '../../checkpoints/signed-lake.ts';
import { type Flags, type Lab, openLab } from '../../support/lab.ts';
import { type S3Server, startConditionalS3 } from '../s3-servers.ts';

const cli = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url));
const witness = 's3://witness-of-the-lake/copies';

let lab: Lab;
let server: S3Server;
let s3: S3Client;
let key: KeyFiles;
let intoS3: Flags;

beforeAll(async () => {
  lab = await openLab({ accounts: 2, regions: 1 });
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } =
    lab.environment as Record<string, string>;
  server = await startConditionalS3({ accessKeyId, secretAccessKey });
  s3 = new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
  });
  await s3.send(new CreateBucketCommand({ Bucket: 'witness-of-the-lake' }));
  key = await makeKey(lab.folder, 'key');
  intoS3 = {
    lake: `s3://${server.bucket}/lake`,
    's3-endpoint-url': server.endpoint,
    'signing-key': key.privateFile,
    witness,
  };
});
afterAll(async () => {
  s3?.destroy();
  await server?.stop();
  await lab?.close();
});

/** The kinds of damage that `verify` finds with the public key and the witness. */
async function verified(): Promise<{ readonly code: number; readonly kinds: readonly string[] }> {
  const args = ['verify', '--lake', String(intoS3.lake), '--s3-endpoint-url', server.endpoint];
  const proof = ['--public-key', key.publicFile, '--witness', witness, '--output', 'json'];
  const env = { ...process.env, ...lab.environment };
  const { code, stdout } = await new Promise<{ code: number; stdout: string }>((resolve) => {
    execFile(
      process.execPath,
      [cli, ...args, ...proof, '--scratch', join(lab.folder, 'verifying')],
      { env },
      (error, out) => {
        resolve({ code: Number(error?.code ?? 0), stdout: out });
      },
    );
  });
  const report: { readonly findings: readonly { readonly kind: string }[] } = JSON.parse(stdout);
  return { code, kinds: [...new Set(report.findings.map(({ kind }) => kind))].sort() };
}

async function keysOf(bucket: string, prefix: string): Promise<readonly string[]> {
  const { Contents: found = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }),
  );
  return found.map((object) => String(object.Key)).sort();
}

it('gets a copy of each checkpoint once, and shows that the newest was removed from the lake', async () => {
  for (const night of [1, 2]) {
    const run = await lab.start(intoS3).ended;
    expect(run.code, run.stderr).toBe(0);
    expect(await keysOf('witness-of-the-lake', 'copies/')).toHaveLength(night);
    await lab.simulator.advance(86_400_000);
  }
  const copies = await keysOf('witness-of-the-lake', 'copies/');
  expect(copies).toEqual([1, 2].map((number) => `copies/${checkpointKey(number)}`));
  expect(await verified()).toEqual({ code: 0, kinds: [] });

  await s3.send(new DeleteObjectCommand({ Bucket: server.bucket, Key: `lake/${checkpointKey(2)}` }));
  const { code, kinds } = await verified();
  expect(code).toBe(80);
  expect(kinds).toContain('checkpoint-rolled-back');

  // The run that follows takes the number again, and says that the witness has another checkpoint under it.
  const run = await lab.start(intoS3).ended;
  expect(run.code).toBe(74);
  expect(run.stderr).toMatch(/already has a checkpoint 2/);
  expect(await keysOf('witness-of-the-lake', 'copies/')).toHaveLength(3);
});
