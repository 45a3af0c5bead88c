/**
 * An HTTP server that answers S3 requests as a test tells it: for failures that no real server will make on
 * demand. It keeps nothing and judges nothing.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface S3Request {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** An answer; with `until`, its body breaks off, or stalls, after so many bytes. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly until?: { readonly bytes: number; readonly ending: 'cut' | 'stall' };
}

/** What to do with a request: answer; take it and cut the line; or never answer. */
export type Reply = Answer | 'cut' | 'hang';

export interface ScriptedS3 {
  readonly endpoint: string;
  /** In order of arrival. */
  readonly requests: readonly S3Request[];
  stop(): Promise<void>;
}

/** @param answer may count requests to answer the second differently */
export async function startScriptedS3(answer: (request: S3Request) => Reply): Promise<ScriptedS3> {
  const requests: S3Request[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk);
    } catch {
      // The client broke off in the middle of its request: there is nobody to answer.
      return;
    }
    const url = new URL(incoming.url ?? '/', 'http://s3');
    const request = {
      method: incoming.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    };
    requests.push(request);
    send(answer(request), response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    requests,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function send(reply: Reply, response: ServerResponse): void {
  if (reply === 'hang') return;
  if (reply === 'cut') return void response.socket?.destroy();
  const body = Buffer.from(reply.body ?? '');
  response.writeHead(reply.status, { 'content-length': String(body.length), ...reply.headers });
  if (reply.until === undefined) return void response.end(body);
  const { bytes, ending } = reply.until;
  response.write(body.subarray(0, bytes), () => {
    if (ending === 'cut') setTimeout(() => response.socket?.destroy(), 20);
  });
}

/** S3's way to say no. */
export function refusal(status: number, code: string, message = `because ${code}`): Answer {
  return {
    status,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message><RequestId>REQ1</RequestId></Error>`,
  };
}
