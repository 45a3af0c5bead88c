/**
 * The real answers behind the proxy: the simulator's for AWS, an S3 server's for S3, all in one time. The simulator's
 * clock is AWS's. The S3 server lives in the machine's time, so a request to it is signed anew, and its dates are moved.
 */
import { createHash, createHmac } from 'node:crypto';
import { Agent, request as send } from 'node:http';
import { SignatureV4 } from '@smithy/signature-v4';
import type { HashConstructor } from '@smithy/types';
import type { Simulator } from '../../src/simulator/simulator.ts';
import type { S3Server } from '../peers/s3-servers.ts';
import type { Answered } from './hurts.ts';
import { type Asked, bucketIn } from './wire.ts';

export interface Upstream {
  ask(asked: Asked): Promise<Answered>;
  /** Whose an access key is; the management account's user for the simulator's own key. */
  accountOf(accessKeyId: string): string;
  stop(): void;
}

/** S3 refuses a request whose date is further off: docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, RequestTimeTooSkewed. */
const toleratedSkewMs = 15 * 60_000;

export function openUpstream(simulator: Simulator, s3: S3Server | null): Upstream {
  const agent = new Agent({ keepAlive: true });
  const accounts = new Map<string, string>();

  const askAws = async (asked: Asked): Promise<Answered> => {
    const answer =
      asked.subject.api === 'AssumeRoleWithWebIdentity'
        ? await byWebIdentity(asked)
        : await exchange(agent, simulator.endpoint, asked);
    if (asked.subject.service !== 'sts') return answer;
    const text = answer.body.toString('utf8');
    const role = /arn:aws:iam::(\d{12}):role/.exec(
      new URLSearchParams(asked.body.toString('latin1')).get('RoleArn') ?? '',
    );
    const key = /<AccessKeyId>([^<]+)/.exec(text)?.[1];
    if (role?.[1] !== undefined && key !== undefined) accounts.set(key, role[1]);
    // Sessions of the simulator end by the machine's clock; here they end by AWS's.
    const moved = text.replace(/<Expiration>([^<]+)</, (_, at: string) => {
      const until = new Date(Date.parse(at) - Date.now() + simulator.now());
      return `<Expiration>${until.toISOString().replace(/\.\d+/, '')}<`;
    });
    return { ...answer, body: Buffer.from(moved) };
  };

  /** The simulator knows no web identities: the management account's user assumes the role in their place. */
  const byWebIdentity = async (asked: Asked): Promise<Answered> => {
    const form = new URLSearchParams(asked.body.toString('latin1'));
    form.set('Action', 'AssumeRole');
    form.delete('WebIdentityToken');
    const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } =
      simulator.env;
    const { host } = new URL(simulator.endpoint);
    const signer = new SignatureV4({
      service: 'sts',
      region: 'us-east-1',
      credentials: { accessKeyId, secretAccessKey },
      sha256: Sha256,
    });
    const body = Buffer.from(form.toString());
    const signed = await signer.sign({
      method: 'POST',
      protocol: 'http:',
      hostname: '127.0.0.1',
      path: '/',
      headers: { host, 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    });
    const answer = await exchange(agent, simulator.endpoint, {
      method: 'POST',
      url: '/',
      headers: signed.headers,
      body,
    });
    const renamed = answer.body
      .toString('utf8')
      .replaceAll(/AssumeRole(Response|Result)>?/g, (found) =>
        found.replace('AssumeRole', 'AssumeRoleWithWebIdentity'),
      );
    return { ...answer, body: Buffer.from(renamed) };
  };

  const askS3 = async (asked: Asked, server: S3Server): Promise<Answered> => {
    const date = new Date(simulator.now()).toUTCString();
    const signedAt = amzDate(String(asked.headers['x-amz-date'] ?? ''));
    if (Math.abs(signedAt - simulator.now()) > toleratedSkewMs) {
      return {
        status: 403,
        headers: { date, 'content-type': 'application/xml', 'x-amz-request-id': 'SKEWED' },
        body: Buffer.from(
          '<?xml version="1.0" encoding="UTF-8"?><Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is too large.</Message><RequestId>SKEWED</RequestId></Error>',
        ),
      };
    }
    const answer = await exchange(agent, server.endpoint, await signedAnew(asked, server));
    const headers: Record<string, string> = { 'x-amz-request-id': 'S3', ...answer.headers, date };
    if (headers['last-modified'] !== undefined) {
      const modified = Date.parse(headers['last-modified']) - Date.now() + simulator.now();
      headers['last-modified'] = new Date(modified).toUTCString();
    }
    return { ...answer, headers };
  };

  return {
    ask: (asked) => {
      if (asked.subject.service !== 's3') return askAws(asked);
      if (s3 === null) throw new Error(`nobody here is S3: ${asked.url}`);
      return askS3(asked, s3);
    },
    accountOf: (key) => accounts.get(key) ?? (key === '' ? '' : simulator.organization.management.id),
    stop: () => agent.destroy(),
  };
}

function exchange(
  agent: Agent,
  server: string,
  { method, url, headers, body }: Pick<Asked, 'method' | 'url' | 'headers' | 'body'>,
): Promise<Answered> {
  const { connection: _, 'proxy-connection': __, expect: ___, 'transfer-encoding': ____, ...kept } = headers;
  return new Promise((resolve, reject) => {
    const onward = send(
      server + url,
      { method, agent, headers: { ...kept, 'content-length': String(body.length) } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', reject);
        answer.once('end', () => {
          const named = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
          resolve({
            status: answer.statusCode ?? 502,
            headers: Object.fromEntries(named),
            body: Buffer.concat(chunks),
          });
        });
      },
    );
    onward.once('error', reject);
    onward.end(body);
  });
}

/** The same request in path style, in the server's time, by its own key. */
async function signedAnew(asked: Asked, server: S3Server): Promise<Asked> {
  const bucket = bucketIn(asked.headers);
  const url = new URL(server.endpoint + (bucket === null ? '' : `/${bucket}`) + asked.url);
  const headers: Record<string, string> = { host: url.host };
  for (const [name, value] of Object.entries(asked.headers)) {
    const isKept = /^(x-amz-|content-|if-|range$)/.test(name) && !/^x-amz-(date|security-token)$/.test(name);
    if (isKept && name !== 'content-length') headers[name] = String(value);
  }
  const query: Record<string, string> = Object.fromEntries(url.searchParams);
  const signer = new SignatureV4({
    service: 's3',
    region: server.region,
    credentials: server,
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  });
  const signed = await signer.sign({
    method: asked.method,
    protocol: 'http:',
    hostname: url.hostname,
    path: url.pathname,
    query,
    headers,
  });
  return { ...asked, url: url.pathname + url.search, headers: signed.headers };
}

/** `20261120T020000Z` in milliseconds since the epoch. */
function amzDate(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

/** SHA-256, or its HMAC, in the shape that the signer asks for. */
const Sha256: HashConstructor = class {
  readonly #hash;
  constructor(secret?: unknown) {
    this.#hash =
      typeof secret === 'string' || secret instanceof Uint8Array
        ? createHmac('sha256', secret)
        : createHash('sha256');
  }
  update(data: Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest());
  }
  reset(): void {}
};
