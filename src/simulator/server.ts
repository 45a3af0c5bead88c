/** One HTTP server on the loopback interface for every service and the control endpoints. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Fate } from './aws-requests.ts';
import { type OnTime, withLatency } from './latency.ts';
import type { Answer } from './responses.ts';
import type { WireRequest } from './signatures.ts';

export interface ServerParts {
  readonly port: number;
  /** From a request's arrival to its response, the simulator's own work included. */
  readonly latencyMs: number;
  /** The time in the `Date` header. */
  readonly now: () => number;
  readonly aws: (request: WireRequest, requestId: string) => Promise<Fate>;
  readonly control: (method: string, path: string, body: string) => Promise<Answer>;
}

export interface Listening {
  readonly endpoint: string;
  /** Stops at once and cuts off open requests. */
  close(): Promise<void>;
}

const LARGEST_BODY = 1024 * 1024;

export async function listen(parts: ServerParts): Promise<Listening> {
  const onTime = withLatency(parts.latencyMs);
  const server = createServer((request, response) => {
    // For a request that is incomplete or too large, the closed connection tells its sender.
    handle(parts, onTime, request, response).catch(() => request.socket.destroy());
  });
  // Clients keep their connections between simulated nights, so the server must not close them early.
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = 0;
  await started(server, parts.port);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the simulator has no port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function started(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function handle(
  parts: ServerParts,
  onTime: OnTime,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readAll(request);
  const wire = wireOf(request, body);
  response.sendDate = false;
  if (wire.path.startsWith('/_simulator/')) {
    send(response, await parts.control(wire.method, wire.path, body), parts.now(), null);
    return;
  }
  const requestId = randomUUID();
  // The clock may be moved before the response leaves: its Date is that of what it shows.
  const { fate, now } = await onTime(async () => ({
    fate: await parts.aws(wire, requestId),
    now: parts.now(),
  }));
  if ('answer' in fate) send(response, fate.answer, now, requestId);
  else if (fate.silence === 'drop') request.socket.destroy();
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    // Safe: without an encoding, chunks are buffers.
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > LARGEST_BODY) throw new Error('the request body is too large');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString();
}

function wireOf(request: IncomingMessage, body: string): WireRequest {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const query: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))) {
    const known = query[name];
    query[name] = known === undefined ? value : Array.isArray(known) ? [...known, value] : [known, value];
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(',') : value;
  }
  return { method: request.method ?? 'GET', path: mark < 0 ? url : url.slice(0, mark), query, headers, body };
}

function send(response: ServerResponse, answer: Answer, now: number, requestId: string | null): void {
  const bytes = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  response.writeHead(answer.status, {
    Date: new Date(now).toUTCString(),
    'Content-Type': answer.contentType,
    'Content-Length': bytes.length,
    ...(requestId === null ? {} : { 'x-amzn-RequestId': requestId }),
    ...answer.headers,
  });
  response.end(bytes);
}
