/**
 * What went wrong in a call to AWS, told from the error that the SDK throws. Pure: decides nothing.
 */
import { AssumeRoleError, UnavailableError } from '../errors.ts';
import { scrubber } from '../redact.ts';

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
  /** Something on the way to AWS answered in its place, and let the request not through. */
  | 'not-from-aws'
  /** The host name does not exist. */
  | 'no-such-host'
  /** The request was dated wrongly. */
  | 'clock-skew'
  /** The credentials were good once. */
  | 'credentials-expired'
  /** The credentials mean nothing to this endpoint: wrong, or good only in other regions. */
  | 'credentials-refused'
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
  /** Without secrets: AWS quotes a request whose signature it refuses, session token and all. */
  readonly message: string;
  /** The host that was not found, where the error says so. */
  readonly host: string | null;
  /**
   * The SDK has corrected its clock by the answer's Date since the request was signed: a refusal may have been
   * about the date alone. It says so of every error that moved its clock far.
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
    return { kind: 'other', name: 'Error', message, host: null, clockCorrected: false };
  }
  if (error instanceof UnavailableError && error.cause !== undefined) {
    const cause = awsFailure(error.cause);
    return { ...cause, kind: kindOnTheWay(cause.kind), message: messageOf(error), host: null };
  }
  const facts = factsOf(error, httpStatus);
  const { name, host, clockCorrected } = facts;
  const message = facts.foreign
    ? `something between the job and AWS answered ${facts.status}: look at the proxy`
    : messageOf(error);
  return { kind: kindOf(error, facts), name, message, host, clockCorrected };
}

/**
 * The part of the chain that failed was not AWS Backup, and whoever threw the error has found that time heals it:
 * a missing host is no disabled region then, and missing credentials are to come.
 */
function kindOnTheWay(kind: FailureKind): FailureKind {
  return kind === 'no-such-host' || kind === 'credentials-missing' ? 'unreachable' : kind;
}

interface Facts {
  readonly name: string;
  readonly code: string;
  readonly status: number;
  readonly clockCorrected: boolean;
  readonly connecting: boolean;
  /** An error's answer with neither a name nor a request id: AWS always sends one. */
  readonly foreign: boolean;
  readonly host: string | null;
}

function factsOf(error: Error, httpStatus: number | undefined): Facts {
  const code = stringField(error, 'code');
  const metadata: unknown = Reflect.get(error, '$metadata');
  const fields = typeof metadata === 'object' && metadata !== null ? metadata : {};
  const said: unknown = Reflect.get(fields, 'httpStatusCode');
  const status = typeof said === 'number' ? said : (httpStatus ?? 0);
  const requestId: unknown = Reflect.get(fields, 'requestId');
  const nameless = code === '' && noNames.has(error.name);
  return {
    name: nameOf(error, code, status),
    code,
    status,
    clockCorrected: Reflect.get(fields, 'clockSkewCorrected') === true,
    connecting:
      stringField(error, 'syscall') === 'connect' || error.message.includes('did not establish a connection'),
    foreign: nameless && status >= 400 && typeof requestId !== 'string',
    host: stringField(error, 'hostname') || null,
  };
}

function kindOf(error: Error, facts: Facts): FailureKind {
  const { name, code, status } = facts;
  if (error instanceof AssumeRoleError) return 'role-not-assumed';
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') return 'credentials-missing';
  if (throttlingNames.has(name) || status === 429) return 'throttled';
  if (expiredNames.has(name)) return 'credentials-expired';
  if (skewNames.has(name)) return 'clock-skew';
  if (refusedNames.has(name)) return 'credentials-refused';
  if (deniedNames.has(name) || signatureNames.has(name)) return 'denied';
  if (code === 'ENOTFOUND') return 'no-such-host';
  if (untrustedNames.has(code)) return 'untrusted-certificate';
  if (connectionCodes.has(code) || code.startsWith('ERR_TLS') || code.startsWith('CERT_'))
    return 'unreachable';
  if (name === 'TimeoutError' || code === 'ETIMEDOUT' || code === 'ESOCKETTIMEDOUT') {
    return facts.connecting ? 'unreachable' : 'timed-out';
  }
  if (name === 'RequestTimeout' || name === 'RequestTimeoutException' || status === 408) return 'timed-out';
  if (serverNames.has(name) || status >= 500) return 'server';
  if (error.message === 'aborted' || error.message === 'socket hang up') return 'unreachable';
  if (facts.foreign) return 'not-from-aws';
  if (status === 401 || status === 403) return 'denied';
  if (status === 407) return 'unreachable';
  return 'other';
}

/** What the SDK calls an error whose answer has no name that it can read. */
const noNames = new Set(['Error', 'SyntaxError', 'Unknown', 'UnknownError']);

function nameOf(error: Error, code: string, status: number): string {
  // Node's own errors say more by their code (ECONNRESET) than by the name the SDK gives them (TimeoutError).
  if (connectionCodes.has(code) || untrustedNames.has(code) || code === 'ENOTFOUND') return code;
  return noNames.has(error.name) && status >= 400 ? `Http${status}` : error.name;
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
