/** What a reader sees that fetches a part in one request while it is replaced over and over: docs/running.md, What queries see while a run writes. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DuckDBInstance } from '@duckdb/node-api';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import pino from 'pino';
import { expect, it } from 'vitest';
import { openS3Store } from '../../../src/lake/stores/s3.ts';
import { startConditionalS3 } from '../s3-servers.ts';

const key = 'copy_jobs/creation_date=2026-11-20/part-00000.parquet';
const reads = 100;

it(
  'a reader that fetches a part in one request gets the one before or the one after, while it is replaced over and over',
  async () => {
    const server = await startConditionalS3();
    const { endpoint, region, bucket, accessKeyId, secretAccessKey } = server;
    const credentials = { accessKeyId, secretAccessKey };
    const folder = await mkdtemp(join(tmpdir(), 'bce-replaced-'));
    const store = openS3Store({
      bucket,
      prefix: '',
      endpointUrl: endpoint,
      region,
      expectedBucketOwner: null,
      credentials: async () => credentials,
      log: pino({ level: 'silent' }),
    });
    const s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    try {
      // Of different lengths, so that no offset of one fits the other.
      const files = [await partOf(folder, 'a', 20_000), await partOf(folder, 'b', 31_000)];
      let etag: string | null = null;
      let replaced = 0;
      let done = false;
      const replace = async () => {
        const condition = etag === null ? { ifAbsent: true as const } : { ifMatch: etag };
        const outcome = await store.put({
          key,
          body: { file: files[replaced % 2] ?? '' },
          condition,
          writeId: randomUUID(),
          metadata: {},
          contentType: 'application/vnd.apache.parquet',
        });
        if (!outcome.written) throw new Error('somebody else wrote the part');
        etag = outcome.etag;
        replaced += 1;
      };
      await replace();
      const replacing = (async () => {
        while (!done) await replace();
      })();
      const seen = new Map<string, number>();
      for (let read = 0; read < reads || seen.size < 2; read += 1) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        const bytes = await Body?.transformToByteArray();
        if (bytes === undefined) throw new Error('no body');
        const file = new Uint8Array(bytes).buffer;
        const rows = await parquetReadObjects({ file, compressors });
        const versions = [...new Set(rows.map(({ run_id: runId }) => String(runId)))];
        const version = `${versions.join()} ${rows.length}`;
        seen.set(version, (seen.get(version) ?? 0) + 1);
      }
      done = true;
      await replacing;
      expect([...seen.keys()].sort()).toEqual(['a 20000', 'b 31000']);
      expect(replaced).toBeGreaterThan(2);
    } finally {
      s3.destroy();
      await store.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
  10 * 60_000,
);

async function partOf(folder: string, version: string, rows: number): Promise<string> {
  const file = join(folder, `${version}.parquet`);
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const connection = await instance.connect();
    await connection.run(
      `COPY (SELECT '${version}' AS run_id, range AS n, md5(range::VARCHAR) AS id FROM range(${rows}))
       TO '${file}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)`,
    );
  } finally {
    instance.closeSync();
  }
  return file;
}
