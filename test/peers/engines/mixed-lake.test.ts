/** A lake that both engines have written, read by programs that nobody here wrote. */
import { spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { glob, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { openLab } from '../../support/lab.ts';
import { pythonPeers } from '../python.ts';
import { startMotoS3 } from '../s3-servers.ts';

interface Answer {
  readonly table: string;
  readonly reader: string;
  readonly type: string;
  readonly rows: readonly (readonly [string, number])[];
}

const tables = [
  ['copy_jobs', 'copy_job_id', 'creation_time'],
  ['copy_job_summaries', 'account_id', 'start_time'],
  ['export_coverage', 'run_id', 'as_of'],
] as const;

/** What each calls a timestamp without a zone. */
const withoutZone: Readonly<Record<string, RegExp>> = {
  pyarrow: /^timestamp\[ms\]$/,
  pandas: /^datetime64\[ms\]$/,
  'aws-sdk-pandas': /^datetime64\[ms\]$/,
  polars: /^Datetime\(time_unit='ms', time_zone=None\)$/,
  duckdb: /^TIMESTAMP$/,
};

it(
  'every reader takes the parts of both engines as one table, with the same times in UTC',
  async () => {
    const [bin, moto, lab] = await Promise.all([pythonPeers(), startMotoS3(), openLab({ days: 6 })]);
    const { endpoint, region, bucket, accessKeyId, secretAccessKey } = moto;
    const s3 = new S3Client({
      endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: true,
    });
    try {
      const written = { duckdb: 0, 'parquetjs-lite': 0 };
      for (const engine of ['duckdb', 'parquetjs-lite'] as const) {
        const { tables: totals } = await lab.run({ engine });
        written[engine] = Object.values(totals).reduce((sum, { parts_written: parts }) => sum + parts, 0);
        await lab.simulator.advance(86_400_000);
      }
      expect(Math.min(...Object.values(written))).toBeGreaterThan(0);
      for await (const key of glob('{copy,export}*/**/*.parquet', { cwd: lab.lake })) {
        const file = join(lab.lake, key);
        const { size: ContentLength } = await stat(file);
        await s3.send(
          new PutObjectCommand({ Bucket: bucket, Key: key, Body: createReadStream(file), ContentLength }),
        );
      }
      const python = spawnSync(join(bin, 'python'), [join(import.meta.dirname, 'read_lake.py')], {
        input: JSON.stringify({ endpoint, url: `s3://${bucket}`, folder: lab.lake, tables }),
        env: {
          ...process.env,
          AWS_ACCESS_KEY_ID: accessKeyId,
          AWS_SECRET_ACCESS_KEY: secretAccessKey,
          AWS_SESSION_TOKEN: '',
          AWS_DEFAULT_REGION: region,
        },
        encoding: 'utf8',
        maxBuffer: 2 ** 29,
      });
      if (python.status !== 0) throw new Error(python.stderr);
      // Safe: printed by read_lake.py.
      const answers = python.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Answer);
      expect(answers).toHaveLength(tables.length * Object.keys(withoutZone).length);
      for (const [table, key, time] of tables) {
        const expected = (await lab.table(table)).map((row) => `${row[key]} ${row[time]}`).sort();
        expect(expected.length).toBeGreaterThan(10);
        for (const { reader, type, rows } of answers.filter((answer) => answer.table === table)) {
          expect([reader, type]).toEqual([reader, expect.stringMatching(withoutZone[reader] ?? /^$/)]);
          expect([reader, rows.map(([id, ms]) => `${id} ${ms}`).sort()]).toEqual([reader, expected]);
        }
      }
    } finally {
      s3.destroy();
      await Promise.all([lab.close(), moto.stop()]);
    }
  },
  20 * 60_000,
);
