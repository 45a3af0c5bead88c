/**
 * The way to a server, and what can go wrong on it before HTTP is spoken, or in the middle of an answer. Every connection
 * meets what the test says for it.
 */
import { connect, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { selfSigned } from './self-signed.ts';

export type Hurt = (socket: Socket) => void;

const established = 'HTTP/1.1 200 Connection established\r\n\r\n';

/** What a proxy does to a CONNECT, or to the tunnel behind it. */
export const hurtsOfTunnels = {
  'a CONNECT is dropped without an answer': (socket) => socket.end(),
  'a CONNECT is reset': (socket) => socket.resetAndDestroy(),
  'a CONNECT is answered by something that is no proxy': (socket) => socket.end('220 mail ready\r\n\r\n'),
  'a CONNECT is answered 502': (socket) =>
    socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n'),
  'a tunnel is closed before TLS': (socket) => socket.end(established),
  'TLS ends with a fatal alert': (socket) =>
    inTunnel(socket, Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28])),
  'TLS is answered in plain text': (socket) =>
    inTunnel(socket, Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')),
} as const satisfies Record<string, Hurt>;

function inTunnel(socket: Socket, answer: Buffer): void {
  socket.write(established);
  socket.once('data', () => socket.end(answer));
}

const head = 'HTTP/1.1 200 OK\r\nx-amzn-requestid: r\r\nContent-Type: application/json\r\n';

/** What can become of an answer over plain HTTP. */
export const hurtsOfAnswers = {
  'the answer is no HTTP': (socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'),
  'there is no answer': (socket) => socket.end(),
  'the connection is reset': (socket) => socket.resetAndDestroy(),
  'the headers break off': (socket) => socket.end(head),
  'a header is broken': (socket) => socket.end(`${head}bad header\r\n\r\n`),
  'the body is shorter than it says': (socket) => socket.end(`${head}Content-Length: 1000\r\n\r\n{"Copy`),
  'a chunk is broken': (socket) => socket.end(`${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{"Copy\r\n`),
  'the last chunk never comes': (socket) =>
    socket.end(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\n{"Cop\r\n`),
} as const satisfies Record<string, Hurt>;

export interface RoughWay {
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  /** So many connections have come. */
  readonly connections: () => number;
  close(): Promise<void>;
}

/**
 * @param target the port that whole connections lead to
 * @param hurt by the connection's number, from 0; null lets it through
 */
export async function startRoughWay(
  target: number,
  hurt: (connection: number) => Hurt | null,
): Promise<RoughWay> {
  const open = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    const act = hurt(connections++);
    keep(open, socket);
    socket.once('data', (first) => {
      if (act !== null) return void act(socket);
      const isConnect = first.toString('latin1').startsWith('CONNECT ');
      const onward = keep(open, connect(target, '127.0.0.1'));
      if (isConnect) socket.write(established);
      else onward.write(first);
      socket.pipe(onward).pipe(socket);
    });
  });
  return listening(server, open, () => connections);
}

/** Takes TLS off, with a certificate that nobody knows. */
export async function startTlsFor(target: number): Promise<RoughWay> {
  const open = new Set<Socket>();
  let connections = 0;
  const server = createTlsServer(selfSigned(), (socket) => {
    connections += 1;
    const onward = keep(open, connect(target, '127.0.0.1'));
    keep(open, socket).pipe(onward).pipe(socket);
  });
  server.on('tlsClientError', () => undefined);
  return listening(server, open, () => connections);
}

function keep<S extends Socket>(open: Set<Socket>, socket: S): S {
  open.add(socket);
  socket.on('error', () => undefined);
  socket.on('close', () => open.delete(socket));
  return socket;
}

async function listening(
  server: ReturnType<typeof createServer>,
  open: ReadonlySet<Socket>,
  connections: () => number,
): Promise<RoughWay> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    address: `127.0.0.1:${address.port}`,
    connections,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
