/** `query` over a lake on an S3 server that nobody here wrote. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask } from '../../query/program.ts';
import { newLake } from '../../query/written-lake.ts';
import { type Lab, openLab } from '../../support/lab.ts';
import { type S3Server, startConditionalS3 } from '../s3-servers.ts';

let lab: Lab;
let server: S3Server;
let env: Record<string, string>;
let jobs: Awaited<ReturnType<Lab['table']>>;
beforeAll(async () => {
  lab = await openLab({ days: 6 });
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } =
    lab.environment as Record<string, string>;
  server = await startConditionalS3({ accessKeyId, secretAccessKey });
  await lab.run();
  jobs = await lab.table('copy_jobs');
  await lab.run({ lake: `s3://${server.bucket}/lake`, 's3-endpoint-url': server.endpoint });
  env = {
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
    AWS_REGION: server.region,
    BACKUP_COPY_EXPORT_LAKE: `s3://${server.bucket}/lake`,
    BACKUP_COPY_EXPORT_S3_ENDPOINT_URL: server.endpoint,
    BACKUP_COPY_EXPORT_SCRATCH: `${lab.folder}/scratch`,
  };
});
afterAll(async () => {
  await lab?.close();
  await server?.stop();
});

const count = 'SELECT creation_date, count(*) AS n FROM copy_jobs GROUP BY 1 ORDER BY 1';

function counted(days: readonly string[]): string {
  const lines = days.map((day) => `${day},${jobs.filter((row) => row.creation_date === day).length}\n`);
  return `creation_date,n\n${lines.join('')}`;
}

function daysOfLake(): string[] {
  return [...new Set(jobs.map((row) => String(row.creation_date)))].sort();
}

test('by default the days up to the newest run are fetched, and a line on stderr says so', async () => {
  const { code, stdout, stderr } = await ask([count], { env });
  const [newest] = (await lab.table('export_coverage')).map((row) => String(row.run_date));
  const first = new Date(Date.parse(`${newest}T00:00:00Z`) - 34 * 86_400_000).toISOString().slice(0, 10);
  expect([code, stdout]).toEqual([0, counted(daysOfLake())]);
  expect(stderr).toMatch(
    new RegExp(
      `^backup-copy-export: fetched ${daysOfLake().length} parts, [\\d.]+ MB: ${first} to the newest\n$`,
    ),
  );
});

test('--from and --to fetch only those days, and only the tables that are asked', async () => {
  const [, first = '', second = ''] = daysOfLake();
  const { code, stdout, stderr } = await ask([count, `--from=${first}`, `--to=${second}`], { env });
  expect([code, stdout]).toEqual([0, counted([first, second])]);
  expect(stderr).toMatch(
    new RegExp(
      `fetched 2 parts, [\\d.]+ MB: ${first} to ${second}; ${daysOfLake().length - 2} days? not read, the first is ${daysOfLake()[0]} `,
    ),
  );
});

test('a question fetches every day that it looks at, where SQL fetches the newest and says what it left out', async () => {
  const old = 'copy_jobs/creation_date=2025-01-01/part-00000.parquet';
  const [, first = ''] = daysOfLake();
  const earlier = Date.parse(first) - Date.parse('2025-01-01');
  const elsewhere = await newLake();
  await elsewhere.write(
    jobs
      .filter((row) => row.creation_date === first)
      .map((row) => ({
        ...row,
        copy_job_id: `${row.copy_job_id}-of-2025`,
        creation_time: Number(row.creation_time) - earlier,
        creation_date: '2025-01-01',
      })),
  );
  const part = await readFile(elsewhere.part('2025-01-01', 0));
  await elsewhere.close();
  const client = new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    credentials: server,
    forcePathStyle: true,
  });
  const place = { Bucket: server.bucket, Key: `lake/${old}` };
  await client.send(new PutObjectCommand({ ...place, Body: part }));
  await mkdir(dirname(`${lab.lake}/${old}`));
  await writeFile(`${lab.lake}/${old}`, part);
  try {
    const all = ['silent-rules', '--days=0'];
    const local = await ask(all, { env: { BACKUP_COPY_EXPORT_LAKE: lab.lake } });
    const whole = await ask(all, { env });
    expect([whole.code, whole.stdout]).toEqual([0, local.stdout]);
    expect(whole.stderr).toMatch(/MB: the first day to the newest\n$/);
    const sql = await ask([count], { env });
    expect(sql.stdout).toEqual(counted(daysOfLake()));
    expect(sql.stderr).toMatch(/; 1 day not read, the first is 2025-01-01 \(see --from and --to\)\n$/);
    const cut = await ask([...all, `--from=${first}`], { env });
    expect(cut.stderr).toMatch(/the result is incomplete: .* exclude, the first is 2025-01-01\n$/);
    expect(cut.stdout).not.toEqual(local.stdout);
    const prompt = await ask([], { env, input: `SELECT count(*) FROM copy_jobs;\n${all.join(' ')}\n` });
    expect(prompt.stdout).toMatch(local.stdout);
    expect(prompt.stderr.match(/fetched/g)).toHaveLength(2);
  } finally {
    await client.send(new DeleteObjectCommand(place));
    client.destroy();
    await rm(dirname(`${lab.lake}/${old}`), { recursive: true });
  }
});

test('a question and a view fetch the tables below them', async () => {
  const { code, stdout } = await ask(['success-rate-by-day'], { env });
  const local = await ask(['success-rate-by-day'], { env: { BACKUP_COPY_EXPORT_LAKE: lab.lake } });
  expect(local.code).toBe(0);
  expect([code, stdout]).toEqual([0, local.stdout]);
  expect(stdout.split('\n').length).toBeGreaterThan(3);
});

test('scratch holds nothing afterwards, and its limit holds', async () => {
  await rm(`${lab.folder}/scratch`, { recursive: true, force: true });
  const client = new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    credentials: server,
    forcePathStyle: true,
  });
  const Key = 'lake/copy_jobs/creation_date=2026-01-01/part-00000.parquet';
  await client.send(new PutObjectCommand({ Bucket: server.bucket, Key, Body: Buffer.alloc(6_000_000) }));
  client.destroy();
  const { code, stderr } = await ask([count, '--from=2026-01-01', '--to=2026-01-01', '--scratch-limit=5MB'], {
    env,
  });
  expect(code).toBe(74);
  expect(stderr).toMatch(/--scratch-limit/);
  const left = await readdir(`${lab.folder}/scratch`, { recursive: true });
  expect(left.filter((name) => name.endsWith('.parquet'))).toEqual([]);
});

test('a bucket without a lake is an error that says so', async () => {
  const { code, stderr } = await ask(
    ['SELECT count(*) FROM copy_jobs', `--lake=s3://${server.bucket}/none`],
    { env },
  );
  expect(code).toBe(74);
  expect(stderr).toMatch(/There is no lake in s3:\/\/.*none/);
});
