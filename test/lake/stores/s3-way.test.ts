/** What stands or breaks between the job and S3 is never read as S3's word, and is asked again. */
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openS3Store } from '../../../src/lake/stores/s3.ts';
import type { Store } from '../../../src/lake/stores/store.ts';
import { LakeError } from '../../../src/shared/errors.ts';
import { type Hurt, hurtsOfTunnels, startRoughWay, startTlsFor } from '../../support/rough-way.ts';
import { writeOf } from './described-store.ts';
import { type Answer, type S3Request, startScriptedS3 } from './scripted-s3.ts';

const closing: (() => unknown)[] = [];

beforeEach(() => {
  for (const name of ['https_proxy', 'http_proxy', 'all_proxy', 'no_proxy']) {
    vi.stubEnv(name, '');
    vi.stubEnv(name.toUpperCase(), '');
  }
  // Who signed the certificate is not what is tried here.
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  vi.unstubAllEnvs();
});

/** As a server that gives no request ids. */
function asS3({ method, query }: S3Request): Answer {
  if (method === 'GET' && query.has('list-type')) {
    return {
      status: 200,
      headers: { 'content-type': 'application/xml' },
      body: '<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents></ListBucketResult>',
    };
  }
  return { status: 200, headers: { etag: '"e1"' }, body: method === 'GET' ? 'x' : '' };
}

function storeAt(endpointUrl: string): Store {
  const store = openS3Store({
    bucket: 'lake-bucket',
    prefix: '',
    endpointUrl,
    region: 'us-west-2',
    kmsKeyId: null,
    expectedBucketOwner: null,
    credentials: async () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret' }),
    retryDelayMs: 1,
    log: pino({ level: 'silent' }),
  });
  closing.push(() => store.close());
  return store;
}

async function listed(store: Store): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of store.list('')) keys.push(key);
  return keys;
}

const operations = {
  'an object is read': async (store: Store) => (await store.read('a'))?.size,
  'an object is written': async (store: Store) =>
    (await store.put(writeOf('a', 'x', { ifAbsent: true }))).written,
  'objects are listed': async (store: Store) => (await listed(store)).length,
} as const;
const wanted = { 'an object is read': 1, 'an object is written': true, 'objects are listed': 1 } as const;
const cases = Object.keys(operations) as (keyof typeof operations)[]; // its own keys

const page = '<html><head><title>Sign in</title></head><body>Host not in allow list</body></html>';
const html = (status: number, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'text/html', ...headers },
  body: page,
});
const interceptors: readonly (readonly [string, Answer])[] = [
  ['a page with 200', html(200)],
  ['a page with 200 and an ETag', html(200, { etag: '"page"' })],
  ['an empty 200', { status: 200 }],
  ['a redirect to a login', html(302, { location: 'https://login.corp/?session=secret' })],
  ['a permanent redirect', html(308, { location: 'https://login.corp/' })],
  ['a page with 403', html(403)],
  ['a page with 404', html(404)],
  ['an empty 404', { status: 404 }],
  [
    'JSON with 404',
    { status: 404, headers: { 'content-type': 'application/json' }, body: '{"code":"NoSuchKey"}' },
  ],
  ['a 407', html(407)],
  ['a 451', html(451)],
  ['a 511', html(511)],
  ['a page with 503', html(503)],
  ['JSON with 200', { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }],
];

const blame = /credential|permission|Allow s3|s3:GetObject|damaged|broken|Create the bucket|session=secret/i;

describe.each(cases)('when %s', (operation) => {
  const work = operations[operation];

  it.each(interceptors)('and %s comes from something else once, it is asked again', async (_, answer) => {
    let asked = 0;
    const server = await startScriptedS3((request) => (asked++ === 0 ? answer : asS3(request)));
    closing.push(() => server.stop());
    expect(await work(storeAt(server.endpoint))).toBe(wanted[operation]);
  });

  it.each(interceptors)(
    'and %s always comes from something else, that is said, and nobody is blamed',
    async (_, answer) => {
      const server = await startScriptedS3(() => answer);
      closing.push(() => server.stop());
      const error: unknown = await work(storeAt(server.endpoint)).catch((reason: unknown) => reason);
      if (!(error instanceof LakeError)) throw new Error(`not a LakeError: ${String(error)}`);
      expect(error.exitCode).toBe(74);
      expect(error.message).toMatch(
        /something between the job and S3 answered \d+.* in place of 127\.0\.0\.1/,
      );
      expect(error.message).toMatch(answer.status === 407 ? /HTTPS_PROXY/ : /NO_PROXY/);
      expect(error.message).not.toMatch(blame);
    },
  );

  it.each(Object.entries<Hurt>(hurtsOfTunnels))('and once %s, it is asked again', async (_, hurt) => {
    const server = await startScriptedS3(asS3);
    closing.push(() => server.stop());
    const tls = await startTlsFor(Number(new URL(server.endpoint).port));
    closing.push(() => tls.close());
    const way = await startRoughWay(Number(tls.address.split(':')[1]), (connection) =>
      connection === 0 ? hurt : null,
    );
    closing.push(() => way.close());
    vi.stubEnv('HTTPS_PROXY', `http://${way.address}`);
    expect(await work(storeAt(`https://${tls.address}`))).toBe(wanted[operation]);
    expect(way.connections()).toBeGreaterThan(1);
  });
});
