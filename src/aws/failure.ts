/**
 * What went wrong in a call to AWS, told from the error that the SDK throws. Pure: decides nothing.
 */
import { AssumeRoleError, UnavailableError } from '../errors.ts';

export type FailureKind =
  /** Asked too often; the same call can succeed later. */
  | 'throttled'
  /** AWS answered that it cannot answer now (5xx). */
  | 'server'
  /** No answer in time. */
  | 'timed-out'
  /** No connection, or one that broke. */
  | 'unreachable'
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

/** @param httpStatus of the answer, where there was one that the error itself does not tell */
export function awsFailure(error: unknown, httpStatus?: number): AwsFailure {
  if (!(error instanceof Error)) {
    return { kind: 'other', name: 'Error', message: String(error), host: null, clockCorrected: false };
  }
  if (error instanceof UnavailableError && error.cause !== undefined) {
    // The part of the chain that failed was not AWS Backup: its missing host is no disabled region.
    const cause = awsFailure(error.cause);
    const kind = cause.kind === 'no-such-host' ? 'unreachable' : cause.kind;
    return { ...cause, kind, message: error.message, host: null };
  }
  const facts = factsOf(error, httpStatus);
  const { name, host, clockCorrected } = facts;
  return { kind: kindOf(error, facts), name, message: messageOf(error), host, clockCorrected };
}

interface Facts {
  readonly name: string;
  readonly code: string;
  readonly status: number;
  readonly clockCorrected: boolean;
  readonly connecting: boolean;
  readonly host: string | null;
}

function factsOf(error: Error, httpStatus: number | undefined): Facts {
  const code = stringField(error, 'code');
  const metadata: unknown = Reflect.get(error, '$metadata');
  const fields = typeof metadata === 'object' && metadata !== null ? metadata : {};
  const said: unknown = Reflect.get(fields, 'httpStatusCode');
  const status = typeof said === 'number' ? said : (httpStatus ?? 0);
  return {
    name: nameOf(error, code, status),
    code,
    status,
    clockCorrected: Reflect.get(fields, 'clockSkewCorrected') === true,
    connecting:
      stringField(error, 'syscall') === 'connect' || error.message.includes('did not establish a connection'),
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
  if (connectionCodes.has(code) || code.startsWith('ERR_TLS') || code.startsWith('CERT_'))
    return 'unreachable';
  if (name === 'TimeoutError' || code === 'ETIMEDOUT' || code === 'ESOCKETTIMEDOUT') {
    return facts.connecting ? 'unreachable' : 'timed-out';
  }
  if (name === 'RequestTimeout' || name === 'RequestTimeoutException' || status === 408) return 'timed-out';
  if (serverNames.has(name) || status >= 500) return 'server';
  if (error.message === 'aborted' || error.message === 'socket hang up') return 'unreachable';
  if (status === 401 || status === 403) return 'denied';
  if (status === 407) return 'unreachable';
  return 'other';
}

/** What the SDK calls an error whose answer has no name that it can read. */
const noNames = new Set(['Error', 'SyntaxError', 'Unknown', 'UnknownError']);

function nameOf(error: Error, code: string, status: number): string {
  // Node's own errors say more by their code (ECONNRESET) than by the name the SDK gives them (TimeoutError).
  if (connectionCodes.has(code) || code === 'ENOTFOUND') return code;
  return noNames.has(error.name) && status >= 400 ? `Http${status}` : error.name;
}

/** What happened: whoever shows it to a person has advice of its own, by the target's status. */
function messageOf(error: Error): string {
  if (!(error instanceof AssumeRoleError)) return withoutHint(error.message);
  return error.message.slice(0, error.message.length - ` ${error.advice}`.length).replace(/\.$/, '');
}

/** The SDK adds a line for programmers to what it could not read. */
function withoutHint(message: string): string {
  return message.split('\n  Deserialization error:')[0] ?? message;
}

function stringField(error: Error, field: string): string {
  const value: unknown = Reflect.get(error, field);
  return typeof value === 'string' ? value : '';
}
