/** Classifies the errors that the SDK throws. Pure: decides nothing. */
import { AssumeRoleError, ReportedError, UnavailableError } from '../shared/errors.ts';
import { scrubber } from '../shared/redact.ts';
import { isTransportError } from './origin-checking-handler.ts';
import { ForeignResponse } from './response-origin.ts';

export type FailureKind =
  /** Too many requests; the same call can succeed later. */
  | 'throttled'
  /** AWS cannot process the request now (5xx). */
  | 'server'
  /** No response in time. */
  | 'timed-out'
  /** The connection could not be made, or broke. */
  | 'unreachable'
  /** The server's certificate was signed by an authority that Node does not know. */
  | 'untrusted-certificate'
  /** Something between the job and AWS responded. */
  | 'not-from-aws'
  /** The host name does not exist. */
  | 'no-such-host'
  /** The request had a wrong date. */
  | 'clock-skew'
  /** The credentials were valid once. */
  | 'credentials-expired'
  /** This endpoint does not know the credentials: they are wrong, or valid only in other regions. */
  | 'credentials-refused'
  /** STS could not verify a web identity this time, or its token had just expired. */
  | 'identity-unverified'
  /** No credentials were found. */
  | 'credentials-missing'
  /** The credentials are valid, but not allowed to do this. */
  | 'denied'
  /** The role cannot be assumed until somebody changes something. */
  | 'role-not-assumed'
  | 'other';

export interface AwsFailure {
  readonly kind: FailureKind;
  /** The error's name from AWS or Node, for example `AccessDeniedException` or `ECONNRESET`. */
  readonly name: string;
  /** The HTTP status of the response; 0: there was none. */
  readonly status: number;
  /** Without secrets: if AWS refuses a signature, it quotes the request, including the session token. */
  readonly message: string;
  /** The host that was not found, if the error names it. */
  readonly host: string | null;
  /**
   * True when the response's Date is far from the date of the request. The next request is signed by the response's Date,
   * because the refusal may be only about the date. See src/aws/signing-clock.ts.
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

/** A region that is not enabled returns one of the first two; EC2 calls it `AuthFailure`. */
const refusedNames = new Set([
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidAccessKeyId',
  'AuthFailure',
]);

const skewNames = new Set(['RequestExpired', 'RequestInTheFuture', 'RequestTimeTooSkewed']);

/** AWS refuses a signature because of a wrong secret key or a wrong clock. */
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

/** Node does not know the authority. Other certificate errors are not listed here (nodejs.org/api/tls.html, X509 certificate error codes). */
export const untrustedNames: ReadonlySet<string> = new Set([
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** @param httpStatus of the response, if the error itself does not hold it */
export function awsFailure(error: unknown, httpStatus?: number): AwsFailure {
  if (!(error instanceof Error)) {
    const message = withoutSecretForms(String(error));
    return { kind: 'other', name: 'Error', status: 0, message, host: null, clockCorrected: false };
  }
  if (error instanceof UnavailableError && error.cause !== undefined) {
    const cause = awsFailure(error.cause);
    return { ...cause, kind: kindOfUnavailable(cause.kind), message: messageOf(error), host: null };
  }
  const specific = mostSpecificError(error);
  if (specific instanceof ForeignResponse) {
    const { name, status, message } = specific;
    return { kind: 'not-from-aws', name, status, message, host: null, clockCorrected: false };
  }
  const facts = factsOf(specific, httpStatus);
  const { name, status, host, clockCorrected } = facts;
  const message = facts.foreign
    ? `something between the job and AWS answered ${status}`
    : messageOf(specific);
  return { kind: kindOf(specific, facts), name, status, message, host, clockCorrected };
}

/**
 * The error itself, or a more specific one inside it: Node and the SDK wrap the original error as a `cause`, and a
 * connection that was tried at several addresses ends with an AggregateError (nodejs.org/api/net.html, autoSelectFamily).
 */
function mostSpecificError(error: Error, deepest = 5): Error {
  if (deepest === 0 || error instanceof ReportedError || error instanceof ForeignResponse) return error;
  if (isNetworkCode(stringField(error, 'code')) || statusIn(error) !== null) return error;
  const inside: unknown[] = [error.cause, ...(error instanceof AggregateError ? error.errors : [])];
  for (const one of inside) {
    if (!(one instanceof Error)) continue;
    const found = mostSpecificError(one, deepest - 1);
    if (
      found instanceof ForeignResponse ||
      isTransportError(found) ||
      isNetworkCode(stringField(found, 'code'))
    )
      return found;
  }
  return error;
}

/**
 * An UnavailableError comes from a request other than the one to AWS Backup, and its thrower knows that a retry can help.
 * So an unknown host does not mean a disabled region, missing credentials may still arrive, and somebody else renews
 * what has expired.
 */
function kindOfUnavailable(kind: FailureKind): FailureKind {
  if (kind === 'credentials-expired') return 'identity-unverified';
  return kind === 'no-such-host' || kind === 'credentials-missing' ? 'unreachable' : kind;
}

/**
 * STS could not reach the identity provider (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html,
 * Errors). SDKs retry after both: github.com/aws/aws-sdk-php/pull/1858, github.com/aws/aws-cli/issues/7194.
 */
const unverifiedNames = new Set([
  'IDPCommunicationError',
  'IDPCommunicationErrorException',
  'InvalidIdentityToken',
  'InvalidIdentityTokenException',
]);

/** What STS says about a token that it will never accept (repost.aws/knowledge-center/iam-sts-invalididentitytoken). */
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
  /** An error response without name and request id, to a client without src/aws/origin-checking-handler.ts. */
  readonly foreign: boolean;
  readonly host: string | null;
}

function factsOf(error: Error, httpStatus: number | undefined): Facts {
  const code = stringField(error, 'code');
  const status = statusIn(error) ?? httpStatus ?? 0;
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

function statusIn(error: Error): number | null {
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
 * Node's codes for failed connections, TLS errors and unreadable responses: HTTP parser (HPE_…), OpenSSL (ERR_SSL_…),
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

/** A programming error. A retry does not help, and no network raises these. */
function isMistake(error: Error): boolean {
  return (
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError ||
    error instanceof SyntaxError
  );
}

/**
 * A signature with a wrong date gets the same error names as one with a wrong secret key
 * (docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html). The response's Date or message tells them
 * apart.
 */
function isAboutTheDate(error: Error, { name, clockCorrected }: Facts): boolean {
  return (
    signatureNames.has(name) && (clockCorrected || /signature expired|not yet current/i.test(error.message))
  );
}

/** The SDK's names for an error response without a readable name. */
const noNames = new Set(['Error', 'SyntaxError', 'Unknown', 'UnknownError']);

function nameOf(error: Error, code: string, status: number): string {
  // For Node's errors the code (ECONNRESET) says more than the name that the SDK gives them (TimeoutError).
  if (isNetworkCode(code) && !timeoutCodes.has(code)) return code;
  if (noNames.has(error.name) && status >= 400) return `Http${status}`;
  // Proxy agents throw plain errors without a code.
  return error.name === 'Error' && isTransportError(error) ? 'ConnectionError' : error.name;
}

/** Only what happened. The advice comes from whoever shows the message, by the target's status. */
function messageOf(error: Error): string {
  if (!(error instanceof AssumeRoleError)) return withoutSecretForms(withoutHint(error.message));
  const what = error.message.slice(0, error.message.length - ` ${error.advice}`.length);
  return withoutSecretForms(what.replace(/\.$/, ''));
}

/** Removes secrets that are recognizable by their form. AWS does not quote the run's other secrets. */
const withoutSecretForms = scrubber([]);

/** Without the hint for programmers that the SDK appends to responses it cannot read. */
function withoutHint(message: string): string {
  return message.split('\n  Deserialization error:')[0] ?? message;
}

function stringField(error: Error, field: string): string {
  const value: unknown = Reflect.get(error, field);
  return typeof value === 'string' ? value : '';
}
