import pino from 'pino';
import { afterEach, expect, it } from 'vitest';
import { connectS3 } from '../../src/lake/stores/s3-client.ts';
import { type BucketVersions, bucketVersions } from '../../src/repair/bucket-versions.ts';
import { LakeError } from '../../src/shared/errors.ts';
import {
  type Reply,
  refusal,
  type S3Request,
  type ScriptedS3,
  startScriptedS3,
} from '../lake/stores/scripted-s3.ts';

const key = 'copy_jobs/creation_date=2026-11-20/part-00000.parquet';
const signal = new AbortController().signal;
const content = { bytes: Buffer.from('right'), metadata: {}, contentType: 'text/plain' };
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function over(
  answer: (request: S3Request) => Reply,
  { isAws = false } = {},
): Promise<{ readonly versions: BucketVersions; readonly requests: ScriptedS3['requests'] }> {
  const server = await startScriptedS3(answer);
  const s3 = connectS3({
    bucket: 'lake-bucket',
    endpointUrl: server.endpoint,
    region: 'us-west-2',
    expectedBucketOwner: null,
    credentials: async () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret' }),
    retryDelayMs: 1,
    log: pino({ level: 'silent' }),
  });
  closing.push(
    () => s3.close(),
    () => server.stop(),
  );
  const versions = bucketVersions({
    s3: { ...s3, isAws: () => isAws },
    bucket: 'lake-bucket',
    prefix: 'lake/',
    expectedBucketOwner: null,
    encryption: { sse: null, kmsKeyId: null, bucketKeyEnabled: null },
  });
  return { versions, requests: server.requests };
}

const head = (etag: string): Reply => ({ status: 200, headers: { etag, 'x-amz-request-id': 'R' } });

it('hides an object on the condition that it is the one that was found', async () => {
  const { versions, requests } = await over(({ method }) =>
    method === 'HEAD' ? head('"e1"') : { status: 204, headers: { 'x-amz-request-id': 'R' } },
  );
  expect(await versions.hide(key, '"e2"', signal)).toBe(false);
  expect(requests.map(({ method }) => method)).toEqual(['HEAD']);
  expect(await versions.hide(key, '"e1"', signal)).toBe(true);
  expect(requests.at(-1)).toMatchObject({ method: 'DELETE', headers: { 'if-match': '"e1"' } });
  expect(await versions.hide(key, null, signal)).toBe(true);
  expect(requests.at(-1)?.headers).not.toHaveProperty('if-match');
});

it.each([
  ['another one has come', head('"e2"'), false],
  ['it is hidden already', refusal(404, 'NotFound'), true],
])('after a refused condition, looks whether %s', async (_, then, isHidden) => {
  let heads = 0;
  const { versions } = await over(({ method }) => {
    if (method !== 'HEAD') return refusal(412, 'PreconditionFailed');
    heads += 1;
    return heads === 1 ? head('"e1"') : then;
  });
  expect(await versions.hide(key, '"e1"', signal)).toBe(isHidden);
});

it('hides without a condition where the store knows none, after it has looked', async () => {
  const deleted = ({ method, headers }: S3Request) => {
    if (method === 'HEAD') return head('"e1"');
    return 'if-match' in headers ? refusal(501, 'NotImplemented') : { status: 204, headers: {}, body: '' };
  };
  const { versions, requests } = await over(deleted);
  expect(await versions.hide(key, '"e1"', signal)).toBe(true);
  expect(requests.at(-1)?.headers).not.toHaveProperty('if-match');
  expect(await versions.hide(key, '"e2"', signal)).toBe(false);
  await expect(
    (await over(() => refusal(501, 'NotImplemented'))).versions.hide(key, null, signal),
  ).rejects.toThrow(LakeError);
});

it('writes without a condition only where a delete marker may count as an object, and never on AWS', async () => {
  const absent = ({ method }: S3Request) => (method === 'PUT' ? head('"new"') : refusal(404, 'NotFound'));
  const elsewhere = await over(absent);
  expect(await elsewhere.versions.writeOverMarker(key, content, signal)).toBe(true);
  expect(elsewhere.requests.at(-1)?.method).toBe('PUT');
  const aws = await over(absent, { isAws: true });
  expect(await aws.versions.writeOverMarker(key, content, signal)).toBe(false);
  const taken = await over(({ method }) => head(method === 'PUT' ? '"new"' : '"e1"'));
  expect(await taken.versions.writeOverMarker(key, content, signal)).toBe(false);
  for (const { requests } of [aws, taken])
    expect(requests.some(({ method }) => method === 'PUT')).toBe(false);
});

it.each([
  ['names no key', ''],
  ['names no version', `<NextKeyMarker>lake/${key}</NextKeyMarker>`],
  ['goes round', `<NextKeyMarker>lake/${key}</NextKeyMarker><NextVersionIdMarker>v1</NextVersionIdMarker>`],
])('takes no list of versions for whole that says there is more, and %s', async (_, next) => {
  const { versions } = await over(() => ({
    status: 200,
    headers: { 'x-amz-request-id': 'R' },
    body: `<ListVersionsResult><IsTruncated>true</IsTruncated>${next}</ListVersionsResult>`,
  }));
  const wanted = { key, sha256: null, accepts: () => true, oldestFirst: false };
  const refused = versions.find(wanted, signal);
  await expect(refused).rejects.toThrow(LakeError);
  await expect(refused).rejects.toThrow(
    /^Listing the versions of s3:\/\/lake-bucket\/lake\/copy_jobs.* breaks off/,
  );
});

it('ends the list of versions where other keys begin', async () => {
  const { versions, requests } = await over(() => ({
    status: 200,
    headers: { 'x-amz-request-id': 'R' },
    body: `<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>lake/${key}.old</NextKeyMarker><NextVersionIdMarker>v1</NextVersionIdMarker></ListVersionsResult>`,
  }));
  const wanted = { key, sha256: null, accepts: () => true, oldestFirst: false };
  expect(await versions.find(wanted, signal)).toEqual({ found: null, unread: [] });
  expect(requests).toHaveLength(1);
});
