import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createAws } from '../../src/aws/aws.ts';
import { type AthenaPlace, openAthena, planView } from '../../src/catalog/athena-views.ts';
import { resultEncryption } from '../../src/catalog/result-encryption.ts';

const place = {
  database: 'copies',
  workgroup: 'backup',
  outputLocation: 's3://results/here/',
  encryption: null,
};
let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** An Athena that gives these states one after the other, the last one for ever. */
async function athenaWith(...states: readonly object[]) {
  const asked: { readonly operation: string; readonly body: Record<string, unknown> }[] = [];
  let turn = 0;
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    asked.push({ operation, body: JSON.parse(Buffer.concat(chunks).toString()) });
    const state = states[Math.min(turn, states.length - 1)] ?? {};
    if (operation === 'GetQueryExecution') turn += 1;
    const failed = '__type' in state;
    response.writeHead(failed ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' });
    const status =
      operation === 'GetQueryExecution' ? { QueryExecution: { Status: state } } : { QueryExecutionId: 'q-1' };
    response.end(JSON.stringify(failed ? state : status));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const aws = createAws({ endpointUrl: `http://127.0.0.1:${address.port}`, maxSockets: 2 });
  const defaults = aws.clientDefaults('us-east-1', { accessKeyId: 'a', secretAccessKey: 'b' });
  const run = async (signal = new AbortController().signal, more: Partial<AthenaPlace> = {}) => {
    try {
      return await openAthena(defaults, { ...place, ...more }, signal).run(
        'CREATE OR REPLACE VIEW …',
        'View one',
      );
    } finally {
      aws.close();
    }
  };
  return { asked, run };
}

describe('a view is made through Athena', () => {
  it('in the workgroup, with the output location, and waits until it is done', async () => {
    const { asked, run } = await athenaWith(
      { State: 'QUEUED' },
      { State: 'RUNNING' },
      { State: 'SUCCEEDED' },
    );
    await run();
    expect(asked.map(({ operation }) => operation)).toEqual([
      'StartQueryExecution',
      'GetQueryExecution',
      'GetQueryExecution',
      'GetQueryExecution',
    ]);
    expect(asked[0]?.body).toMatchObject({
      QueryString: 'CREATE OR REPLACE VIEW …',
      QueryExecutionContext: { Catalog: 'AwsDataCatalog', Database: 'copies' },
      WorkGroup: 'backup',
      ResultConfiguration: { OutputLocation: 's3://results/here/' },
    });
  });

  it.each([
    [{ sse: 'AES256', kmsKeyId: null }, { EncryptionOption: 'SSE_S3' }],
    [
      { sse: 'aws:kms', kmsKeyId: 'arn:k' },
      { EncryptionOption: 'SSE_KMS', KmsKey: 'arn:k' },
    ],
    [
      { sse: null, kmsKeyId: 'arn:k' },
      { EncryptionOption: 'SSE_KMS', KmsKey: 'arn:k' },
    ],
  ] as const)('with what it puts out encrypted as %o says', async (options, sent) => {
    const { asked, run } = await athenaWith({ State: 'SUCCEEDED' });
    await run(undefined, { encryption: resultEncryption(options) });
    expect(asked[0]?.body.ResultConfiguration).toEqual({
      OutputLocation: 's3://results/here/',
      EncryptionConfiguration: sent,
    });
  });

  it.each([
    [{ sse: 'aws:kms', kmsKeyId: null }, '--kms-key-id'],
    [{ sse: 'aws:kms:dsse', kmsKeyId: 'k' }, 'aws:kms:dsse'],
    [{ sse: 'AES256', kmsKeyId: 'k' }, '--kms-key-id'],
  ] as const)('and encryption that Athena cannot do is refused before: %o', (options, named) => {
    expect(() => resultEncryption(options)).toThrow(named);
  });

  it('and what Athena says of a failure is said, with 78', async () => {
    const { run } = await athenaWith({
      State: 'FAILED',
      StateChangeReason: 'line 1:8: Column x is not there',
    });
    await expect(run()).rejects.toMatchObject({
      exitCode: 78,
      message: expect.stringMatching(
        /^View one was not created: Athena reports FAILED: line 1:8: Column x.*q-1/,
      ),
    });
  });

  it.each([
    ['AccessDeniedException', 77, /athena:StartQueryExecution/],
    ['InvalidRequestException', 78, /No output location/],
  ])('and %s ends with %d', async (type, exitCode, message) => {
    const { run } = await athenaWith({
      __type: type,
      Message: 'No output location',
      message: 'No output location',
    });
    await expect(run()).rejects.toMatchObject({ exitCode, message: expect.stringMatching(message) });
  });

  it('and a person who interrupts does not wait', async () => {
    const { run } = await athenaWith({ State: 'RUNNING' });
    const stop = new AbortController();
    const running = run(stop.signal);
    setTimeout(() => stop.abort(new Error('stopped')), 50);
    await expect(running).rejects.toThrow();
  });
});

describe('whether a view is to be made', () => {
  const view = { name: 'one', title: 'One', about: '', sql: 'SELECT 1 AS one' };
  const { parameter, fingerprint } = planView(view, 'copies', null, {});
  const there = { Name: 'one', TableType: 'VIRTUAL_VIEW' };

  it.each([
    ['it is not there', null, { [parameter]: fingerprint }, '+ view one'],
    ['it was made by another statement', there, { [parameter]: 'other' }, '~ view one'],
    ['nobody knows what made it', there, {}, '~ view one'],
    ['it was made by this statement', there, { [parameter]: fingerprint }, null],
  ])('%s', (_, found, parameters, change) => {
    expect(planView(view, 'copies', found, parameters)).toMatchObject({ change, refusal: null });
  });
});
