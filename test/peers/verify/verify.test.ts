/** `verify` over an S3 server that nobody here wrote, and over a part that pyarrow has edited. */
import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, openLab } from '../../support/lab.ts';
import { keysIn, manifestAt, manifestsIn } from '../../verify/damage.ts';
import { told, verified } from '../../verify/night-lake.ts';
import { pythonPeers } from '../python.ts';
import { type S3Server, startConditionalS3 } from '../s3-servers.ts';

const run = promisify(execFile);

let lab: Lab;
let server: S3Server;
let s3: S3Client;

beforeAll(async () => {
  lab = await openLab({ accounts: 2, regions: 1 });
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } =
    lab.environment as Record<string, string>;
  server = await startConditionalS3({ accessKeyId, secretAccessKey });
  const credentials = { accessKeyId, secretAccessKey };
  s3 = new S3Client({ endpoint: server.endpoint, region: server.region, credentials, forcePathStyle: true });
});
afterAll(async () => {
  s3?.destroy();
  await server?.stop();
  await lab?.close();
});

describe('a lake on S3', () => {
  let flags: { readonly lake: string; readonly 's3-endpoint-url': string };
  let keys: readonly string[];
  beforeAll(async () => {
    flags = { lake: `s3://${server.bucket}/deep/lake`, 's3-endpoint-url': server.endpoint };
    for (let night = 0; night < 2; night += 1) {
      expect((await lab.run(flags)).exit_code).toBe(0);
      await lab.simulator.advance(86_400_000);
    }
    // The local copy of the run tells which parts there are.
    await lab.run();
    keys = keysIn(lab.lake, 'copy_jobs').slice(0, 3);
  });

  const target = (key: string) => ({ Bucket: server.bucket, Key: `deep/lake/${key}` });

  async function content(key: string) {
    const { Body, Metadata } = await s3.send(new GetObjectCommand(target(key)));
    return { bytes: Buffer.from((await Body?.transformToByteArray()) ?? []), metadata: Metadata ?? {} };
  }

  /** Changes a byte in the middle; everything else stays, also the size. */
  async function edited(key: string, keepMetadata: boolean): Promise<() => Promise<void>> {
    const { bytes, metadata } = await content(key);
    const other = Buffer.from(bytes);
    other.writeUInt8(other.readUInt8(60) ^ 0xff, 60);
    const put = (Body: Buffer, Metadata: Record<string, string>) =>
      s3.send(new PutObjectCommand({ ...target(key), Body, Metadata }));
    await put(other, keepMetadata ? metadata : {});
    return async () => void (await put(bytes, metadata));
  }

  it('is clean, read whole and by HEAD requests', async () => {
    const lake = flags.lake;
    const whole = await verified(lake, flags);
    expect(told(whole)).toEqual([]);
    expect(whole.checked.parts).toBe(whole.parts_in_lake);
    const quick = await verified(lake, { ...flags, quick: 'true' });
    expect(told(quick)).toEqual([]);
    expect(quick.checked).toMatchObject({ parts: quick.parts_in_lake, rows: 0 });
  });

  it.each([true, false])(
    'a part that was edited and has the same size is found, read whole and by HEAD requests; metadata kept: %s',
    async (keepMetadata) => {
      const [key = ''] = keys;
      const restore = await edited(key, keepMetadata);
      const reports = [];
      for (const quick of ['true', 'false']) reports.push(await verified(flags.lake, { ...flags, quick }));
      await restore();
      for (const report of reports) {
        expect(report.findings.map((one) => one.key)).toEqual(report.findings.map(() => key));
        expect(told(report)).toContain(`part-changed ${key}`);
        expect(report.exit_code).toBe(80);
      }
      expect(told(await verified(flags.lake, flags))).toEqual([]);
    },
  );

  it('a part that was deleted is found', async () => {
    const [, key = ''] = keys;
    await s3.send(new DeleteObjectCommand(target(key)));
    expect(told(await verified(flags.lake, { ...flags, quick: 'true' }))).toEqual([`part-missing ${key}`]);
  });
});

it('a part that pyarrow wrote anew with the same number of rows is found', async () => {
  const lake = join(lab.folder, 'edited');
  await lab.run({ lake: join(lab.folder, 'whole') });
  await cp(join(lab.folder, 'whole'), lake, { recursive: true });
  const key = String(keysIn(lake, 'copy_jobs')[0]);
  const rows = manifestsIn(lake)
    .flatMap((manifest) => manifestAt(lake, manifest).parts)
    .find((one) => one.key === key)?.rows;
  const edit = `
import sys, pyarrow as pa, pyarrow.parquet as pq
table = pq.ParquetFile(sys.argv[1]).read()
states = pa.array(['COMPLETED'] * table.num_rows, pa.string())
at = table.schema.get_field_index('state')
pq.write_table(table.set_column(at, table.schema.field(at), states), sys.argv[1])
print(table.num_rows)
`;
  const python = join(await pythonPeers(), 'python');
  const { stdout } = await run(python, ['-c', edit, join(lake, key)]);
  expect(Number(stdout)).toBe(rows);
  const report = await verified(lake);
  expect(told(report)).toContain(`part-changed ${key}`);
  expect(report.findings.map((one) => one.key)).toEqual(report.findings.map(() => key));
});
