/** Texts that go wrong somewhere, and a stand-in before the simulator that puts them into the copy jobs it lists. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** In UTF-8 the last but one sorts before the last, in UTF-16 after it. */
export const oddTexts: readonly string[] = [
  'it’s "odd" \'quoted\' ``back``, with, commas;\tand tabs\\',
  'two\nlines\r\nand\u2028more\n',
  '=HYPERLINK("http://127.0.0.1","formula")',
  '\u001b[31mred\u001b[0m\u0007',
  '👩🏽‍🚀 한국어 Ünïcode e\u0301 \ufeff mark',
  `${'10,000 characters: 😀 '.repeat(500)}`.slice(0, 10_000),
  '￰ half width',
  '😀 face',
];

export interface OddTexts {
  /** What AWS Backup's endpoint is to be. */
  readonly endpoint: string;
  /** What was told of each copy job instead of what the simulator says, by copy_job_id. */
  readonly told: ReadonlyMap<string, Told>;
  stop(): Promise<void>;
}

interface Told {
  readonly status_message: string;
  readonly resource_name: string;
}

/** Passes requests on as they are. Every copy job has its odd texts; the same ones whenever it is listed. */
export async function startOddTexts(simulator: string): Promise<OddTexts> {
  const told = new Map<string, Told>();
  const server = createServer((asked, answer) => {
    const pass = async (): Promise<void> => {
      const got = await passedOn(simulator, asked);
      const text = (await buffer(got)).toString('utf8');
      const body = asked.url?.startsWith('/copy-jobs') && got.statusCode === 200 ? withOdd(text, told) : text;
      const { 'content-length': _, 'transfer-encoding': __, ...headers } = got.headers;
      answer.writeHead(got.statusCode ?? 500, headers).end(body);
    };
    pass().catch((error: unknown) => answer.destroy(error instanceof Error ? error : undefined));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Safe: a server that listens on a port has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    told,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** With all its headers: they are signed, the host's name among them. */
async function passedOn(simulator: string, asked: IncomingMessage): Promise<IncomingMessage> {
  const url = new URL(asked.url ?? '/', simulator);
  const passing = request(url, { method: asked.method ?? 'GET', headers: asked.headers });
  passing.end(await buffer(asked));
  const [got] = await once(passing, 'response');
  return got;
}

function withOdd(text: string, told: Map<string, Told>): string {
  // Safe: what the simulator's ListCopyJobs answers; only what is named here is touched.
  const page = JSON.parse(text) as { CopyJobs?: Record<string, unknown>[] };
  for (const job of page.CopyJobs ?? []) {
    const id = String(job.CopyJobId);
    const at = Buffer.from(id).reduce((sum, byte) => sum + byte, 0);
    const odd = { status_message: oddText(at), resource_name: oddText(at + 1) };
    job.StatusMessage = odd.status_message;
    job.ResourceName = odd.resource_name;
    told.set(id, odd);
  }
  return JSON.stringify(page);
}

function oddText(at: number): string {
  const text = oddTexts[at % oddTexts.length];
  if (text === undefined) throw new Error('there are no odd texts');
  return text;
}
