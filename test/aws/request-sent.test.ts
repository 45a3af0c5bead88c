import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { nextRequestsSent } from '../../src/aws/request-sent.ts';

let server: Server;
beforeEach(async () => {
  // It never responds.
  server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  expect(channel('http.client.request.created').hasSubscribers).toBe(false);
});

const never = Promise.withResolvers<never>().promise;
const open = (port = (server.address() as AddressInfo).port) =>
  request({ host: '127.0.0.1', port }).on('error', () => undefined);

it('resolves when the next request is on its way, without a response, whatever later ones do', async () => {
  const sent = nextRequestsSent(1, never);
  const first = open();
  open();
  expect(await Promise.race([sent.then(() => 'sent'), delay(200, 'not yet')])).toBe('not yet');
  first.end();
  await sent;
  expect(first.writableFinished).toBe(true);
});

it('waits for as many as it is told', async () => {
  const sent = nextRequestsSent(2, never);
  const [first, second] = [open(), open()];
  second.end();
  await once(second, 'finish');
  expect(await Promise.race([sent.then(() => 'sent'), delay(200, 'not yet')])).toBe('not yet');
  first.end();
  await sent;
  expect(first.writableFinished).toBe(true);
});

it('does not wait for a request that is never made once the work has ended', async () => {
  const sent = nextRequestsSent(2, delay(200));
  open().end();
  await sent;
});

it('resolves when the request fails, or when none is made', async () => {
  const failing = nextRequestsSent(1, never);
  // Nothing listens there.
  open(1).end();
  await failing;
  await nextRequestsSent(1, Promise.resolve());
  await nextRequestsSent(1, Promise.reject(new Error('no credentials')));
});
