/**
 * Stands between the export and the simulator's AWS Backup when sessions come from moto: every request is
 * signed anew for the simulated account that stands for moto's. moto says whose an access key is; it does not
 * check signatures.
 */
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentialIdentity, HashConstructor } from '@smithy/types';
import type { Simulator } from '../../../src/simulator/simulator.ts';

export interface Relay {
  readonly endpoint: string;
  /** The access keys that requests were signed with, by moto's account. */
  readonly keysOf: ReadonlyMap<string, ReadonlySet<string>>;
  stop(): Promise<void>;
}

export interface RelayOptions {
  /** moto's endpoint. */
  readonly moto: string;
  readonly simulator: Simulator;
  /** moto's accounts, each with the simulated one that stands for it. */
  readonly standsFor: ReadonlyMap<string, string>;
}

export async function startRelay({ moto, simulator, standsFor }: RelayOptions): Promise<Relay> {
  const credentials = credentialsAt(simulator);
  const keysOf = new Map<string, Set<string>>();
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const scope = /Credential=([^/]+)\/\d+\/([^/]+)\/backup\//.exec(request.headers.authorization ?? '');
      const [, accessKey = '', region = ''] = scope ?? [];
      const account = await accountAt(moto, accessKey);
      keysOf.set(account, (keysOf.get(account) ?? new Set()).add(accessKey));
      const simulated = standsFor.get(account);
      if (simulated === undefined) throw new Error(`nobody stands for ${account}`);
      const url = new URL(request.url ?? '/', simulator.endpoint);
      if (url.searchParams.has('AccountId')) url.searchParams.set('AccountId', simulated);
      const signer = new SignatureV4({
        service: 'backup',
        region,
        credentials: await credentials(simulated),
        sha256: Sha256,
      });
      const signed = await signer.sign({
        method: 'GET',
        protocol: 'http:',
        hostname: url.hostname,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: { host: url.host },
      });
      const { host: _, ...headers } = signed.headers;
      const got = await fetch(url, { headers });
      const kept = ['content-type', 'date', 'x-amzn-requestid', 'x-amzn-errortype'];
      for (const name of kept)
        if (got.headers.has(name)) response.setHeader(name, got.headers.get(name) ?? '');
      response.sendDate = false;
      response.writeHead(got.status).end(Buffer.from(await got.arrayBuffer()));
    };
    answer().catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Not a pipe: it listens on an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    keysOf,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function accountAt(endpoint: string, accessKeyId: string): Promise<string> {
  const credentials = { accessKeyId, secretAccessKey: 'unchecked' };
  const sts = new STSClient({ region: 'us-east-1', endpoint, credentials });
  const { Account } = await sts.send(new GetCallerIdentityCommand({}));
  sts.destroy();
  return Account ?? '';
}

/** The simulator's own credentials for one of its accounts; each is assumed once. */
function credentialsAt(simulator: Simulator): (account: string) => Promise<AwsCredentialIdentity> {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = simulator.env;
  const own = { accessKeyId, secretAccessKey };
  const sts = new STSClient({ region: 'us-east-1', endpoint: simulator.endpoint, credentials: own });
  const assumed = new Map<string, Promise<AwsCredentialIdentity>>();
  const assume = async (account: string): Promise<AwsCredentialIdentity> => {
    const RoleArn = `arn:aws:iam::${account}:role/${simulator.roleName}`;
    const { Credentials: given } = await sts.send(
      new AssumeRoleCommand({ RoleArn, RoleSessionName: 'relay' }),
    );
    return {
      accessKeyId: given?.AccessKeyId ?? '',
      secretAccessKey: given?.SecretAccessKey ?? '',
      sessionToken: given?.SessionToken ?? '',
    };
  };
  return (account) => {
    if (account === simulator.organization.management.id) return Promise.resolve(own);
    const known = assumed.get(account) ?? assume(account);
    assumed.set(account, known);
    return known;
  };
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
