/** Signatures and states, checked by foreign programs with the commands of docs/proof.md; signing keys in moto's KMS. */
import { execFile } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { CreateKeyCommand, GetPublicKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAws } from '../../../src/aws/aws.ts';
import { signerOf } from '../../../src/checkpoints/keys.ts';
import { openKmsKey } from '../../../src/checkpoints/kms-key.ts';
import { checkpointKey } from '../../../src/lake/layout.ts';
import { makeKey } from '../../checkpoints/signed-lake.ts';
import { type Lab, openLab } from '../../support/lab.ts';
import { type S3Server, startMotoS3 } from '../s3-servers.ts';

const page = await readFile(new URL('../../../docs/proof.md', import.meta.url), 'utf8');
const run = promisify(execFile);
const forRsa = ' -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:auto';

let lab: Lab;
let moto: S3Server;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bce-checkpoints-'));
  moto = await startMotoS3();
  lab = await openLab({ accounts: 2, regions: 1 });
  process.env.AWS_ENDPOINT_URL_KMS = moto.endpoint;
});
afterAll(async () => {
  delete process.env.AWS_ENDPOINT_URL_KMS;
  await lab?.close();
  await moto?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The commands of the page in this language. */
function commands(language: string): string {
  const [, found] =
    new RegExp(`<!-- run by test/peers/checkpoints -->\n\`\`\`${language}\n(.*?)\`\`\``, 's').exec(page) ??
    [];
  if (found === undefined) throw new Error(`docs/proof.md has no commands in ${language}`);
  return found;
}

/** What OpenSSL says of the second checkpoint. */
async function openssl(lake: string, publicPem: string, options = '', digest = '-sha256'): Promise<string> {
  await writeFile(join(lake, 'public.pem'), publicPem);
  const script = commands('sh').replace('dgst -sha256', `dgst ${digest}${options}`);
  return await run('bash', ['-c', script], { cwd: lake }).then(
    ({ stdout }) => stdout.trim(),
    (error) => String(error.stdout).trim(),
  );
}

async function nightsWith(flags: Readonly<Record<string, string>>): Promise<string> {
  const lake = await mkdtemp(join(folder, 'lake-'));
  for (const night of [1, 2]) {
    const summary = await lab.run({ lake, ...flags });
    expect(summary.checkpoint_error).toBeNull();
    expect(summary.checkpoint?.number).toBe(night);
  }
  return lake;
}

it.each([
  ['P-256', '', '-sha256'],
  ['P-384', '', '-sha384'],
  ['RSA', forRsa, '-sha256'],
] as const)('OpenSSL accepts a signature of a local %s key, and no other', async (kind, options, digest) => {
  const key = await makeKey(folder, kind, kind);
  const other = await makeKey(folder, `other-${kind}`, kind);
  const lake = await nightsWith({ 'signing-key': key.privateFile });
  const pem = await readFile(key.publicFile, 'utf8');
  expect(await openssl(lake, pem, options, digest)).toBe('Verified OK');
  expect(await openssl(lake, await readFile(other.publicFile, 'utf8'), options, digest)).not.toBe(
    'Verified OK',
  );
  const file = join(lake, checkpointKey(2));
  const envelope = JSON.parse(await readFile(file, 'utf8'));
  const payload = JSON.parse(Buffer.from(envelope.payload, 'base64').toString());
  const edited = Buffer.from(JSON.stringify({ ...payload, rows: payload.rows + 1 })).toString('base64');
  await writeFile(file, `${JSON.stringify({ ...envelope, payload: edited }, null, 1)}\n`);
  expect(await openssl(lake, pem, options, digest)).not.toBe('Verified OK');
});

it.each([
  ['ECC_NIST_P256', ''],
  ['RSA_2048', forRsa],
] as const)('OpenSSL accepts a signature that KMS made with %s', async (KeySpec, options) => {
  const { accessKeyId, secretAccessKey } = moto;
  const credentials = { accessKeyId, secretAccessKey };
  const kms = new KMSClient({ endpoint: moto.endpoint, region: 'us-east-1', credentials });
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage: 'SIGN_VERIFY' }));
  const id = KeyMetadata?.Arn ?? '';
  const lake = await nightsWith({ 'signing-key': id });
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: id }));
  const body = Buffer.from(PublicKey ?? []).toString('base64');
  const pem = `-----BEGIN PUBLIC KEY-----\n${body.replace(/.{64}/g, '$&\n')}\n-----END PUBLIC KEY-----\n`;
  expect(await openssl(lake, pem, options)).toBe('Verified OK');
});

it('a KMS key that cannot be used costs the run its checkpoint, and nothing else', async () => {
  const lake = await mkdtemp(join(folder, 'lake-'));
  const summary = await lab.run({ lake, 'signing-key': 'arn:aws:kms:us-east-1:123456789012:key/none' });
  expect(summary).toMatchObject({ exit_code: 74, checkpoint: null, ledger_error: null });
  expect(summary.checkpoint_error).toContain('NotFoundException');
});

it('sends KMS the digest of a message that is too long for it', async () => {
  const key = await makeKey(folder, 'in-kms');
  const server = createServer(async (request, response) => {
    const asked = JSON.parse(await text(request));
    const isSign = request.headers['x-amz-target'] === 'TrentService.Sign';
    const publicKey = createPublicKey(await readFile(key.publicFile, 'utf8'));
    response.setHeader('x-amzn-requestid', '1');
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    if (!isSign) {
      const der = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
      response.end(JSON.stringify({ KeyUsage: 'SIGN_VERIFY', KeySpec: 'ECC_NIST_P256', PublicKey: der }));
      return;
    }
    expect(asked).toMatchObject({ MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' });
    const digest = join(folder, 'digest');
    await writeFile(digest, Buffer.from(asked.Message, 'base64'));
    // OpenSSL signs a digest as it is, as KMS does.
    const signed = await run('openssl', ['pkeyutl', '-sign', '-inkey', key.privateFile, '-in', digest], {
      encoding: 'buffer',
    });
    response.end(JSON.stringify({ Signature: signed.stdout.toString('base64') }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const endpointUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const aws = createAws({ endpointUrl, maxSockets: 1 });
  try {
    const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' };
    const defaults = aws.clientDefaults('us-east-1', credentials);
    const opened = await openKmsKey('alias/signing', defaults, new AbortController().signal);
    const message = Buffer.alloc(5000, 'long');
    expect(signerOf(message, await opened.sign(message), [key.signing.trusted])).toBe(key.signing.trusted);
  } finally {
    aws.close();
    server.close();
  }
});

it('the Python of the page finds every object as the checkpoint has it, and one that was changed', async () => {
  const key = await makeKey(folder, 'python');
  const lake = await nightsWith({ 'signing-key': key.privateFile });
  const python = () => run('python3', ['-c', commands('python'), checkpointKey(2)], { cwd: lake });
  expect((await python()).stdout).toMatch(/^2 checkpoints, \d+ Parquet files, as the checkpoint says\n$/);
  const page1 = Buffer.from(
    JSON.parse(await readFile(join(lake, checkpointKey(2)), 'utf8')).payload,
    'base64',
  );
  const { manifest } = JSON.parse(page1.toString());
  await appendFile(join(lake, manifest.key), ' ');
  await expect(python()).rejects.toThrow(manifest.key);
});
