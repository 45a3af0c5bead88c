/**
 * What went wrong in a call to AWS, told from the error that the SDK throws. Pure: decides nothing.
 */
import { AssumeRoleError, ReportedError, UnavailableError } from '../shared/errors.ts';
import { scrubber } from '../shared/redact.ts';
import { isTransportError } from './origin-checking-handler.ts';
import { ForeignResponse } from './response-origin.ts';

export type FailureKind =
  /** Asked too often; the same call can succeed later. */
  | 'throttled'
  /** AWS answered that it cannot answer now (5xx). */
  | 'server'
  /** No answer in time. */
  | 'timed-out'
  /** No connection, or one that broke. */
  | 'unreachable'
  /** Whoever answered has a certificate of an authority that Node does not know. */
  | 'untrusted-certificate'
  /** Something between the job and AWS answered in its place. */
  | 'not-from-aws'
  /** The host name does not exist. */
  | 'no-such-host'
  /** The request was dated wrongly. */
  | 'clock-skew'
  /** The credentials were good once. */
  | 'credentials-expired'
  /** The credentials mean nothing to this endpoint: wrong, or good only in other regions. */
  | 'credentials-refused'
  /** STS could not verify a web identity now, or its token had just expired. */
  | 'identity-unverified'
  /** No credentials could be had. */
  | 'credentials-missing'
  /** The credentials are good, but may not do this. */
  | 'denied'
  /** The role cannot be assumed, and will not be until somebody changes it. */
  | 'role-not-assumed'
  | 'other';

export interface AwsFailure {
  readonly kind: FailureKind;
  /** The error's name as AWS or Node says it, for example `AccessDeniedException` or `ECONNRESET`. */
  readonly name: string;
  /** The HTTP status of the answer; 0: there was none. */
  readonly status: number;
  /** Without secrets: AWS quotes a request whose signature it refuses, session token and all. */
  readonly message: string;
  /** The host that was not found, where the error says so. */
  readonly host: string | null;
  /**
   * The answer's Date is far from the one that the request was signed for, and the next one is signed for that: a
   * refusal may have been about the date alone. See src/aws/signing-clock.ts.
   */
  readonly clockCorrected: boolean;
}

/** From botocore's retry rules and the SDK's own list (@smithy/core, service-error-classification/constants.js). */
const throttlingNames = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

const serverNames = new Set([
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'InternalError',
  'InternalFailure',
  'InternalServerError',
  'InternalServerException',
  'ServiceException',
  'Unavailable',
]);

const expiredNames = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired']);

/** A region that is not enabled answers one of the first two; `AuthFailure` is EC2's word. */
const refusedNames = new Set([
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidAccessKeyId',
  'AuthFailure',
]);

const skewNames = new Set(['RequestExpired', 'RequestInTheFuture', 'RequestTimeTooSkewed']);

/** Refusals of a signature: a wrong secret, or a wrong clock. */
const signatureNames = new Set(['InvalidSignatureException', 'SignatureDoesNotMatch', 'IncompleteSignature']);

const deniedNames = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AccessDeniedForDependencyException',
  'AuthorizationError',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'NotAuthorized',
  'NotAuthorizedException',
  'OptInRequired',
  'SubscriptionRequiredException',
  'UnauthorizedException',
  'UnauthorizedOperation',
]);

const connectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EPROTO',
  'UND_ERR_SOCKET',
]);

const timeoutCodes = new Set(['ETIMEDOUT', 'ESOCKETTIMEDOUT']);

/** The authority is unknown to Node; a certificate that is bad in itself is not here (nodejs.org/api/tls.html, X509 certificate error codes). */
export const untrustedNames: ReadonlySet<string> = new Set([
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** @param httpStatus of the answer, where there was one that the error itself does not tell */
export function awsFailure(error: unknown, httpStatus?: number): AwsFailure {
  if (!(error instanceof Error)) {
    const message = withoutSecretForms(String(error));
    return { kind: 'other', name: 'Error', status: 0, message, host: null, clockCorrected: false };
  }
  if (error instanceof UnavailableError && error.cause !== undefined) {
    const cause = awsFailure(error.cause);
    return { ...cause, kind: kindOnTheWay(cause.kind), message: messageOf(error), host: null };
  }
  const told = tellingError(error);
  if (told instanceof ForeignResponse) {
    const { name, status, message } = told;
    return { kind: 'not-from-aws', name, status, message, host: null, clockCorrected: false };
  }
  const facts = factsOf(told, httpStatus);
  const { name, status, host, clockCorrected } = facts;
  const message = facts.foreign ? `something between the job and AWS answered ${status}` : messageOf(told);
  return { kind: kindOf(told, facts), name, status, message, host, clockCorrected };
}

/**
 * The error itself, or the one inside it that says more: Node and the SDK wrap what failed as a `cause`, and a connection
 * that was tried at several addresses ends with an AggregateError (nodejs.org/api/net.html, autoSelectFamily).
 */
function tellingError(error: Error, deepest = 5): Error {
  if (deepest === 0 || error instanceof ReportedError || error instanceof ForeignResponse) return error;
  if (isNetworkCode(stringField(error, 'code')) || statusSaid(error) !== null) return error;
  const inside: unknown[] = [error.cause, ...(error instanceof AggregateError ? error.errors : [])];
  for (const one of inside) {
    if (!(one instanceof Error)) continue;
    const told = tellingError(one, deepest - 1);
    if (told instanceof ForeignResponse || isTransportError(told) || isNetworkCode(stringField(told, 'code')))
      return told;
  }
  return error;
}

/**
 * The part of the chain that failed was not AWS Backup, and whoever threw the error has found that time heals it:
 * a missing host is no disabled region then, missing credentials are to come, and what has expired is renewed by others.
 */
function kindOnTheWay(kind: FailureKind): FailureKind {
  if (kind === 'credentials-expired') return 'identity-unverified';
  return kind === 'no-such-host' || kind === 'credentials-missing' ? 'unreachable' : kind;
}

/**
 * STS has asked the identity provider in vain (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html,
 * Errors). SDKs ask again after both: github.com/aws/aws-sdk-php/pull/1858, github.com/aws/aws-cli/issues/7194.
 */
const unverifiedNames = new Set([
  'IDPCommunicationError',
  'IDPCommunicationErrorException',
  'InvalidIdentityToken',
  'InvalidIdentityTokenException',
]);

/** What STS says of a token that it will never take (repost.aws/knowledge-center/iam-sts-invalididentitytoken). */
const neverVerified =
  /no openidconnect provider|audience|thumbprint|not a valid jwt|missing a required claim|issuer/i;

function isUnverified(name: string, message: string): boolean {
  return unverifiedNames.has(name) && !neverVerified.test(message);
}

interface Facts {
  readonly name: string;
  readonly code: string;
  readonly status: number;
  readonly clockCorrected: boolean;
  readonly connecting: boolean;
  /** An error's answer with neither a name nor a request id, to a client that is not watched (src/aws/origin-checking-handler.ts). */
  readonly foreign: boolean;
  readonly host: string | null;
}

function factsOf(error: Error, httpStatus: number | undefined): Facts {
  const code = stringField(error, 'code');
  const status = statusSaid(error) ?? httpStatus ?? 0;
  const nameless = code === '' && noNames.has(error.name);
  return {
    name: nameOf(error, code, status),
    code,
    status,
    clockCorrected: Reflect.get(metadataOf(error), 'clockSkewCorrected') === true,
    connecting:
      stringField(error, 'syscall') === 'connect' || error.message.includes('did not establish a connection'),
    foreign: nameless && status >= 400 && typeof Reflect.get(metadataOf(error), 'requestId') !== 'string',
    host: stringField(error, 'hostname') || null,
  };
}

function metadataOf(error: Error): object {
  const metadata: unknown = Reflect.get(error, '$metadata');
  return typeof metadata === 'object' && metadata !== null ? metadata : {};
}

function statusSaid(error: Error): number | null {
  const status: unknown = Reflect.get(metadataOf(error), 'httpStatusCode');
  return typeof status === 'number' ? status : null;
}

function kindOf(error: Error, facts: Facts): FailureKind {
  const { name, code, status } = facts;
  if (error instanceof AssumeRoleError) return 'role-not-assumed';
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') return 'credentials-missing';
  if (isUnverified(name, error.message)) return 'identity-unverified';
  if (throttlingNames.has(name) || status === 429) return 'throttled';
  if (expiredNames.has(name)) return 'credentials-expired';
  if (skewNames.has(name) || isAboutTheDate(error, facts)) return 'clock-skew';
  if (refusedNames.has(name)) return 'credentials-refused';
  if (deniedNames.has(name) || signatureNames.has(name)) return 'denied';
  if (code === 'ENOTFOUND') return 'no-such-host';
  if (untrustedNames.has(code)) return 'untrusted-certificate';
  if (isNetworkCode(code) && !timeoutCodes.has(code)) return 'unreachable';
  if (name === 'TimeoutError' || timeoutCodes.has(code)) {
    return facts.connecting ? 'unreachable' : 'timed-out';
  }
  if (name === 'RequestTimeout' || name === 'RequestTimeoutException' || status === 408) return 'timed-out';
  if (serverNames.has(name) || status >= 500) return 'server';
  if (error.message === 'aborted' || error.message === 'socket hang up') return 'unreachable';
  if (facts.foreign) return 'not-from-aws';
  if (status === 401 || status === 403) return 'denied';
  return isTransportError(error) && !isMistake(error) ? 'unreachable' : 'other';
}

/**
 * Codes of Node for a connection, TLS, a body or an answer that cannot be read: HTTP parser (HPE_…), OpenSSL (ERR_SSL_…),
 * certificates, compressed bodies (Z_…), SOCKS. See nodejs.org/api/errors.html.
 */
function isNetworkCode(code: string): boolean {
  return (
    connectionCodes.has(code) ||
    untrustedNames.has(code) ||
    timeoutCodes.has(code) ||
    code === 'ENOTFOUND' ||
    /^(?:HPE_|ERR_SSL_|ERR_TLS_|ERR_SOCKET_|ERR_STREAM_PREMATURE_CLOSE|ERR_HTTP2_|CERT_|Z_|UND_ERR_)/.test(
      code,
    )
  );
}

/** What does not become right by being done again: no network says these. */
function isMistake(error: Error): boolean {
  return (
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError ||
    error instanceof SyntaxError
  );
}

/**
 * A signature that was dated wrongly has the same names as one with a wrong secret
 * (docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html): the answer's own date tells them apart,
 * or its words.
 */
function isAboutTheDate(error: Error, { name, clockCorrected }: Facts): boolean {
  return (
    signatureNames.has(name) && (clockCorrected || /signature expired|not yet current/i.test(error.message))
  );
}

/** What the SDK calls an error whose answer has no name that it can read. */
const noNames = new Set(['Error', 'SyntaxError', 'Unknown', 'UnknownError']);

function nameOf(error: Error, code: string, status: number): string {
  // Node's own errors say more by their code (ECONNRESET) than by the name the SDK gives them (TimeoutError).
  if (isNetworkCode(code) && !timeoutCodes.has(code)) return code;
  if (noNames.has(error.name) && status >= 400) return `Http${status}`;
  // Proxy agents throw plain errors without a code.
  return error.name === 'Error' && isTransportError(error) ? 'ConnectionError' : error.name;
}

/** What happened: whoever shows it to a person has advice of its own, by the target's status. */
function messageOf(error: Error): string {
  if (!(error instanceof AssumeRoleError)) return withoutSecretForms(withoutHint(error.message));
  const what = error.message.slice(0, error.message.length - ` ${error.advice}`.length);
  return withoutSecretForms(what.replace(/\.$/, ''));
}

/** What is secret by its form; the run's own secrets, known by their value, AWS does not quote. */
const withoutSecretForms = scrubber([]);

/** The SDK adds a line for programmers to what it could not read. */
function withoutHint(message: string): string {
  return message.split('\n  Deserialization error:')[0] ?? message;
}

function stringField(error: Error, field: string): string {
  const value: unknown = Reflect.get(error, field);
  return typeof value === 'string' ? value : '';
}
