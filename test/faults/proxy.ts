/**
 * Stands between the program and AWS, and hurts what passes: an HTTP server that endpoint URLs can name, and a
 * forward proxy for HTTPS_PROXY that opens TLS with a certificate of its own.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { selfSigned } from '../support/self-signed.ts';
import { type Answered, type Deed, Hurts, type Instead, type Subject } from './hurts.ts';
import type { Upstream } from './upstream.ts';
import { type Asked, readAsked, regionOf, serviceOf } from './wire.ts';

export interface HurtfulProxy {
  /** For endpoint URLs and for HTTPS_PROXY alike: plain HTTP. */
  readonly url: string;
  readonly port: number;
  /** TLS of the hosts that a CONNECT asks for, without a CONNECT. */
  readonly securePort: number;
  /** PEM; who trusts it trusts the hosts of AWS behind the proxy. */
  readonly certificate: string;
  readonly hurts: Hurts;
  /** All that came, in order, whether hurt or not. */
  readonly seen: readonly Subject[];
  /** Called when a connection or a request comes, before anything is done to it. */
  onSeen: (subject: Subject) => void;
  /** Called when AWS, or S3, has answered a request. */
  onAnswered: (subject: Subject) => void;
  stop(): Promise<void>;
}

export interface ProxyOptions {
  readonly upstream: Upstream;
  readonly regions: readonly string[];
  readonly seed: number;
}

/** A fatal alert, internal_error: RFC 5246, sections 6.2.1 and 7.2. */
const fatalAlert = Buffer.from('15030300020250', 'hex');

export async function startProxy({ upstream, regions, seed }: ProxyOptions): Promise<HurtfulProxy> {
  const hurts = new Hurts(seed);
  const seen: Subject[] = [];
  const before = new Map<string, Answered>();
  const open = new Set<Socket>();

  const note = (subject: Subject): readonly Deed[] => {
    seen.push(subject);
    proxy.onSeen(subject);
    return hurts.meet(subject);
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = await readAsked(request, upstream.accountOf);
    const deeds = note(asked.subject);
    const instead = await beforeAws(deeds, asked, response);
    if (instead === 'done') return;
    const answer = instead ?? (await upstream.ask(asked));
    proxy.onAnswered(asked.subject);
    const name = [asked.subject.service, asked.subject.api, asked.subject.region, asked.subject.caller].join(
      ' ',
    );
    const earlier = before.get(name);
    const stale = deeds.some(({ kind }) => kind === 'stale');
    // An answer that is not stale would make the scenario pass without its fault.
    if (stale && earlier === undefined) throw new Error(`there is no earlier answer to ${name}`);
    // A cache that answers by itself learns nothing new.
    if (!stale) before.set(name, answer);
    await afterAws(deeds, stale && earlier !== undefined ? earlier : answer, response);
  };
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    response.sendDate = false;
    // Who was killed, or gave up, leaves requests behind.
    serve(request, response).catch(() => request.socket.destroy());
  };

  const plain = createServer(listener);
  const hosts = regions.flatMap((region) => [`*.${region}.amazonaws.com`, `*.s3.${region}.amazonaws.com`]);
  const own = selfSigned([
    ...hosts,
    '*.us-east-1.amazonaws.com',
    '*.amazonaws.com',
    '*.s3.amazonaws.com',
    's3.faults.example',
  ]);
  const secure = createSecureServer(own, listener);
  const strange = createSecureServer(selfSigned(), listener);
  for (const server of [plain, secure, strange]) prepared(server, open);

  plain.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const host = request.url ?? '';
    const subject = {
      stage: 'connect',
      service: serviceOf(host),
      api: 'CONNECT',
      region: regionOf(host),
      caller: '',
      key: host,
    } as const;
    connect(note(subject), socket, () => {
      if (head.length > 0) socket.unshift(head);
      return { secure, strange };
    }).catch(() => socket.destroy());
  });
  await Promise.all([plain, secure].map((server) => listening(server)));
  const port = portOf(plain);
  const proxy: HurtfulProxy = {
    url: `http://127.0.0.1:${port}`,
    port,
    securePort: portOf(secure),
    certificate: own.cert,
    hurts,
    seen,
    onSeen: () => undefined,
    onAnswered: () => undefined,
    async stop() {
      for (const socket of open) socket.destroy();
      const closed = [plain, secure].map((server) => once(server, 'close'));
      for (const server of [plain, secure]) server.close();
      await Promise.all(closed);
    },
  };
  return proxy;
}

function prepared(server: Server | ReturnType<typeof createSecureServer>, open: Set<Socket>): void {
  server.keepAliveTimeout = 120_000;
  server.requestTimeout = 0;
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => undefined);
  });
  server.on('clientError', (_, socket) => socket.destroy());
}

async function listening(server: Server | ReturnType<typeof createSecureServer>): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

function portOf(server: Server | ReturnType<typeof createSecureServer>): number {
  // Not a pipe: it listens on an address with a port.
  return (server.address() as AddressInfo).port;
}

/** What becomes of a CONNECT. */
async function connect(
  deeds: readonly Deed[],
  socket: Socket,
  servers: () => Readonly<Record<'secure' | 'strange', Pick<Server, 'emit'>>>,
): Promise<void> {
  socket.on('error', () => undefined);
  for (const deed of deeds) {
    switch (deed.kind) {
      case 'drop':
        socket.end();
        socket.destroy();
        return;
      case 'reset':
        socket.resetAndDestroy();
        return;
      case 'hang':
        return;
      case 'garbage':
        socket.end('\u0000\u0001 this is no HTTP \r\n\r\n');
        return;
      case 'answer':
        socket.end(head(deed.answer));
        return;
      case 'delay':
        await sleep(deed.ms);
        break;
      case 'cut':
        socket.end('HTTP/1.1 200 Connection Est'.slice(0, deed.bytes));
        return;
      case 'alert':
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        socket.once('data', () => socket.end(fatalAlert));
        return;
      case 'stranger':
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        servers().strange.emit('connection', socket);
        return;
      default:
        throw new Error(`a connection cannot be hurt by ${deed.kind}`);
    }
  }
  socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
  servers().secure.emit('connection', socket);
}

function head({ status, headers = {}, body = '' }: Instead): string {
  const all = { 'content-length': String(Buffer.byteLength(body)), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Something\r\n${lines.join('')}\r\n${body}`;
}

/** What happens instead of asking AWS: an answer, an end, or nothing. */
async function beforeAws(
  deeds: readonly Deed[],
  asked: Asked,
  response: ServerResponse,
): Promise<Answered | 'done' | null> {
  const { socket } = response.req;
  for (const deed of deeds) {
    switch (deed.kind) {
      case 'drop':
        socket.destroy();
        return 'done';
      case 'reset':
        socket.resetAndDestroy();
        return 'done';
      case 'hang':
        return 'done';
      case 'garbage':
        socket.end('\u0000\u0001 this is no HTTP \r\n\r\n');
        return 'done';
      case 'delay':
        await sleep(deed.ms);
        break;
      case 'answer':
        return answered(deed.answer);
      case 'demand':
        if (!Object.entries(asked.headers).some((pair) => deed.header.test(pair.join(': ')))) {
          return answered(deed.answer);
        }
        break;
      default:
        break;
    }
  }
  return null;
}

function answered({ status, headers = {}, body = '' }: Instead): Answered {
  return { status, headers, body: Buffer.from(body) };
}

/** What happens to an answer on its way back. */
async function afterAws(deeds: readonly Deed[], given: Answered, response: ServerResponse): Promise<void> {
  const { socket } = response.req;
  let { headers, body } = given;
  for (const deed of deeds) {
    if (deed.kind === 'lose') return void socket.destroy();
    if (deed.kind === 'rewrite') body = Buffer.from(deed.rewrite(body.toString('utf8')));
    if (deed.kind === 'date') {
      const { date, ...others } = headers;
      headers =
        deed.byMs === null
          ? others
          : { ...others, date: new Date(Date.parse(date ?? '') + deed.byMs).toUTCString() };
    }
  }
  const { 'transfer-encoding': _, connection: __, ...kept } = headers;
  // The answer to HEAD says how long the body would be.
  const length = response.req.method === 'HEAD' ? (kept['content-length'] ?? '0') : String(body.length);
  response.writeHead(given.status, { ...kept, 'content-length': length });
  for (const deed of deeds) {
    if (deed.kind === 'cut' || deed.kind === 'stall') {
      const part = body.subarray(0, deed.bytes);
      if (part.length === body.length) continue;
      response.flushHeaders();
      if (part.length > 0) response.write(part);
      // The bytes go out before the end does.
      if (deed.kind === 'cut') setImmediate(() => socket.destroySoon());
      return;
    }
    if (deed.kind === 'drip') {
      const pieces = 20;
      const size = Math.max(1, Math.ceil(body.length / pieces));
      for (let at = 0; at < body.length && !response.destroyed; at += size) {
        response.write(body.subarray(at, at + size));
        await sleep(deed.ms / pieces);
      }
      response.end();
      return;
    }
  }
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
