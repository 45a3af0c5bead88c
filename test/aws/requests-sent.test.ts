import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { nextRequestsSent } from '../../src/aws/requests-sent.ts';

let server: Server;
let arrived = 0;
beforeEach(async () => {
  arrived = 0;
  server = createServer(() => {
    arrived += 1;
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

const never = Promise.withResolvers<never>().promise;
const send = (port = (server.address() as AddressInfo).port) =>
  request({ host: '127.0.0.1', port }).on('error', () => undefined);

it('resolves when all requests that begin together are on their way, without a response', async () => {
  const sent = nextRequestsSent(never);
  send().end();
  const second = send();
  expect(await Promise.race([sent.then(() => 'sent'), delay(200, 'not yet')])).toBe('not yet');
  second.end();
  await sent;
  while (arrived < 2) await delay(5);
});

it('resolves when a request fails, or when none is needed', async () => {
  const failing = nextRequestsSent(never);
  // Nothing listens there.
  send(1).end();
  await failing;
  await nextRequestsSent(Promise.resolve());
  await nextRequestsSent(Promise.reject(new Error('no credentials')));
});
