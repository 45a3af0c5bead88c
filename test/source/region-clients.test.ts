import pino from 'pino';
import { afterEach, expect, it } from 'vitest';
import { type Aws, createAws } from '../../src/aws/aws.ts';
import { createSource } from '../../src/source/backup.ts';
import { everything, page } from './reading.ts';
import { type ScriptedAws, startScriptedAws } from './scripted-aws.ts';

let server: ScriptedAws | null = null;
let aws: Aws | null = null;
afterEach(async () => {
  aws?.close();
  await server?.close();
});

it('accounts that are read at once in one region are each read with their own credentials', async () => {
  const all = Promise.withResolvers<void>();
  // No page comes before all accounts have asked for their first: they are on their way at once.
  server = await startScriptedAws(async ({ number, query }) => {
    if (number === 9) all.resolve();
    await all.promise;
    return query.has('nextToken') ? page([]) : page([], 'more');
  });
  aws = createAws({ endpointUrl: server.endpoint, maxSockets: 10 });
  const source = createSource({
    aws,
    homeRegion: 'us-east-1',
    requestsPerSecond: 1000,
    targetTimeoutMs: 20_000,
    memoryDays: 30,
    log: pino({ level: 'silent' }),
  });
  const accounts = Array.from({ length: 10 }, (_, i) => `11112222333${i}`);
  const reports = await Promise.all(
    accounts.map(async (accountId) => {
      const credentials = async () => ({ accessKeyId: `AKIA${accountId}`, secretAccessKey: 'secret' });
      const target = { accountId, region: 'eu-west-1', accountName: null, regionNamed: false, credentials };
      const drain = source.copyJobs(target, everything, new AbortController().signal);
      for await (const _ of drain);
      return drain.report();
    }),
  );
  source.close();
  expect(reports.map(({ status, pages }) => `${status} ${pages}`)).toEqual(accounts.map(() => 'OK 2'));
  const keys = server.asked.map(({ accessKeyId }) => accessKeyId).sort();
  expect(keys).toEqual(accounts.flatMap((accountId) => [`AKIA${accountId}`, `AKIA${accountId}`]));
});
