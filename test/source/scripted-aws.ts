/** A local server that answers AWS requests from a script, and remembers what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  /** Counts from 0, over all requests. */
  readonly number: number;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
  readonly service: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly userAgent: string;
  /** The date that the signature was made for, in milliseconds since the epoch. */
  readonly signedFor: number;
  /** Monotonic milliseconds at arrival. */
  readonly at: number;
}

export type Reply =
  | 'hang'
  | 'reset'
  | {
      readonly status?: number;
      /** Text as it is; anything else as JSON. */
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
      /** The Date header; null leaves it out. */
      readonly date?: string | null;
    };

export interface ScriptedAws {
  readonly endpoint: string;
  readonly asked: Asked[];
  close(): Promise<void>;
}

export const awsTime = 'Sat, 21 Nov 2026 02:00:00 GMT';

export async function startScriptedAws(
  script: (asked: Asked) => Reply | Promise<Reply>,
): Promise<ScriptedAws> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const one = await readRequest(request, asked.length);
    asked.push(one);
    send(response, await script(one), one.number);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  return {
    endpoint: `http://127.0.0.1:${port}`,
    asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readRequest(request: IncomingMessage, number: number): Promise<Asked> {
  const at = performance.now();
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const scope = /Credential=([^/]+)\/\d+\/([^/]+)\/([^/]+)\//.exec(request.headers.authorization ?? '');
  return {
    number,
    path: pathname,
    query: searchParams,
    body: Buffer.concat(chunks).toString(),
    accessKeyId: scope?.[1] ?? '',
    region: scope?.[2] ?? '',
    service: scope?.[3] ?? '',
    signedFor: signatureTime(String(request.headers['x-amz-date'])),
    userAgent: request.headers['user-agent'] ?? '',
    at,
  };
}

function signatureTime(basic: string): number {
  return Date.parse(basic.replace(/^(....)(..)(..T..)(..)/, '$1-$2-$3:$4:'));
}

function send(response: ServerResponse, reply: Reply, number: number): void {
  if (reply === 'hang') return;
  if (reply === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  const { status = 200, body = '', headers = {}, date = awsTime } = reply;
  response.sendDate = false;
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-amzn-requestid': `request-${number}`,
    ...(date === null ? {} : { date }),
    ...headers,
  });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** An error as AWS Backup's REST JSON says it. */
export function refusal(name: string, message: string, status = 400): Reply {
  return {
    status,
    headers: { 'x-amzn-errortype': `${name}:http://internal.amazon.com/` },
    body: { __type: name, message },
  };
}

/** STS's answer to GetCallerIdentity. */
export function callerIdentity(account = '111122223333'): Reply {
  return {
    headers: { 'content-type': 'text/xml' },
    body: `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::${account}:user/tester</Arn><UserId>AIDA</UserId><Account>${account}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>`,
  };
}

/** An error as STS's query protocol says it. */
export function stsRefusal(name: string, message: string, status = 403): Reply {
  return {
    status,
    headers: { 'content-type': 'text/xml' },
    body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${name}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
  };
}

export function assumedRole(accessKeyId: string, expiration: Date): Reply {
  return {
    headers: { 'content-type': 'text/xml' },
    body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId><Arn>arn:aws:sts::1:assumed-role/r/x</Arn></AssumedRoleUser><Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>${expiration.toISOString()}</Expiration></Credentials></AssumeRoleResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>`,
  };
}

/** Answers in this order; the last one again and again. */
export function inTurn(...replies: readonly Reply[]): (asked: Asked) => Reply {
  return ({ number }) => replies[number] ?? replies.at(-1) ?? 'hang';
}
