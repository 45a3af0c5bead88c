/** Identifies the sender of a request: signs it again with the SDK's SigV4 signer and compares the signatures. */
import { timingSafeEqual } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { SigningHash } from '../aws/signing-hash.ts';
import type { Credentials, Identity } from './access-keys.ts';
import { type Protocol, ServiceError } from './responses.ts';

/** A request as it was received. */
export interface WireRequest {
  readonly method: string;
  /** Still URL-encoded. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | string[]>>;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the Authorization header claims. */
export interface Claim {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const tolerance = 15 * 60 * 1000;

export function readClaim(headers: WireRequest['headers']): Claim | null {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    );
  const [, accessKeyId, region, service, signedHeaders, signature] = match ?? [];
  if (!accessKeyId || !region || !service || !signedHeaders || !signature) return null;
  return { accessKeyId, region, service, signedHeaders: signedHeaders.split(';'), signature };
}

/**
 * The sender; throws the ServiceError that AWS would return.
 * @param clocks times in milliseconds since the epoch; a signature's date must be near one of them
 * @param realNow real time, for the expiry of sessions
 */
export async function authenticate(
  request: WireRequest,
  claim: Claim,
  protocol: Protocol,
  credentials: Credentials,
  clocks: readonly number[],
  realNow: number,
): Promise<Identity> {
  const names = errorNames[protocol];
  const found = credentials.find(claim.accessKeyId, request.headers['x-amz-security-token'] ?? null);
  if (found === null) {
    throw new ServiceError(403, names.unknown, 'The security token included in the request is invalid.');
  }
  const signedAt = parseAmzDate(request.headers['x-amz-date'] ?? '');
  if (!clocks.some((clock) => Math.abs(clock - signedAt) <= tolerance)) {
    throw new ServiceError(
      403,
      names.signature,
      `Signature expired: ${request.headers['x-amz-date'] ?? 'no date'} is not within 15 minutes of ${clocks.map((clock) => new Date(clock).toISOString()).join(' or ')}`,
    );
  }
  if (!(await isSignedWith(request, claim, found.secret, signedAt))) {
    throw new ServiceError(
      403,
      names.mismatch,
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
  }
  if (found.identity.expires !== null && found.identity.expires <= realNow) throw expired(protocol);
  return found.identity;
}

/** AWS's error for an expired session. */
export function expired(protocol: Protocol): ServiceError {
  return new ServiceError(
    403,
    errorNames[protocol].expired,
    'The security token included in the request is expired',
  );
}

/** Names differ by protocol: https://docs.aws.amazon.com/awssupport/latest/user/common-errors.html */
const errorNames: Readonly<
  Record<Protocol, Record<'unknown' | 'signature' | 'mismatch' | 'expired', string>>
> = {
  'rest-json': {
    unknown: 'UnrecognizedClientException',
    signature: 'InvalidSignatureException',
    mismatch: 'SignatureDoesNotMatch',
    expired: 'ExpiredTokenException',
  },
  'json-1.1': {
    unknown: 'UnrecognizedClientException',
    signature: 'InvalidSignatureException',
    mismatch: 'SignatureDoesNotMatch',
    expired: 'ExpiredTokenException',
  },
  query: {
    unknown: 'InvalidClientTokenId',
    signature: 'SignatureDoesNotMatch',
    mismatch: 'SignatureDoesNotMatch',
    expired: 'ExpiredToken',
  },
  ec2: {
    unknown: 'AuthFailure',
    signature: 'RequestExpired',
    mismatch: 'SignatureDoesNotMatch',
    expired: 'RequestExpired',
  },
};

async function isSignedWith(
  request: WireRequest,
  claim: Claim,
  secretAccessKey: string,
  signedAt: number,
): Promise<boolean> {
  const signed = new Set(claim.signedHeaders);
  const headers: Record<string, string> = {};
  for (const name of signed) {
    const value = request.headers[name];
    // The signer adds the date and the token itself.
    if (value !== undefined && name !== 'x-amz-date') headers[name] = value;
  }
  const sessionToken = request.headers['x-amz-security-token'];
  const signer = new SignatureV4({
    service: claim.service,
    region: claim.region,
    credentials: {
      accessKeyId: claim.accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
    sha256: SigningHash,
    applyChecksum: false,
  });
  const again = await signer.sign(
    {
      method: request.method,
      protocol: 'http:',
      hostname: '127.0.0.1',
      path: request.path,
      query: { ...request.query },
      headers,
      body: request.body,
    },
    { signingDate: new Date(signedAt), signableHeaders: signed },
  );
  const expected = /Signature=([0-9a-f]{64})$/.exec(again.headers.authorization ?? '')?.[1] ?? '';
  return (
    expected.length === claim.signature.length &&
    timingSafeEqual(Buffer.from(expected), Buffer.from(claim.signature))
  );
}

/** `20261120T020000Z` in milliseconds since the epoch. */
function parseAmzDate(text: string): number {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (!match) return Number.NaN;
  const [, year, month, day, hour, minute, second] = match.map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
}
