/** Lakes on Athena's own engine; one Trino for all of them, as it takes its time to start. */
import { afterAll, beforeAll } from 'vitest';
import { type S3Server, startConditionalS3 } from '../s3-servers.ts';
import { localColumns, s3Columns } from './columns.ts';
import { engines, exportOddLake, type OddLake } from './lakes.ts';
import { oddCopies } from './odd-copies.ts';
import { pruning } from './pruning.ts';
import { questions } from './questions.ts';
import { type RunningTrino, startTrino } from './trino.ts';

const prefix = 'deep/lake';
let s3: S3Server | undefined;
let onS3: OddLake | undefined;
let trino: RunningTrino | undefined;

beforeAll(async () => {
  onS3 = await exportOddLake(engines, async ({ environment }) => {
    const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } =
      environment as Record<string, string>;
    s3 = await startConditionalS3({ accessKeyId, secretAccessKey });
    return { lake: `s3://${s3.bucket}/${prefix}`, 's3-endpoint-url': s3.endpoint };
  });
  trino = await startTrino(s3);
});
afterAll(async () => {
  // The lake's own suite closed it, unless that was filtered out.
  await onS3?.close();
  await trino?.stop();
  await s3?.stop();
});

s3Columns(
  () => ({ s3: there(s3), trino: there(trino).client }),
  () => there(onS3),
  prefix,
);
localColumns(() => there(trino).client);
questions(() => there(trino).client);
oddCopies(() => there(trino).client);
pruning(() => there(trino).client);

function there<T>(started: T | undefined): T {
  if (started === undefined) throw new Error('it did not start');
  return started;
}
