/** Handles every AWS request: identifies the sender, applies faults, calls the service. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Credentials, Identity } from './access-keys.ts';
import type { FaultInput, FaultKind, Faults } from './faults.ts';
import type { RequestLog } from './request-log.ts';
import { type Answer, errorAnswer, type Protocol, ServiceError } from './responses.ts';
import { operationOf, parametersOf, protocols } from './routes.ts';
import { denied } from './services/backup-service.ts';
import type { Service } from './services/service-call.ts';
import { notAuthorized } from './services/sts-service.ts';
import { authenticate, expired, readClaim, type WireRequest } from './signatures.ts';
import type { Clock } from './simulated-clock.ts';

/** The outcome of a request: an answer, no answer, or a closed connection. */
export type Fate = { readonly answer: Answer } | { readonly silence: 'hang' | 'drop' };

export interface AwsParts {
  readonly clock: Clock;
  readonly credentials: Credentials;
  readonly faults: Faults;
  readonly log: RequestLog;
  /** By the service name in the request's signature. */
  readonly services: Readonly<Record<string, Service>>;
  readonly realNow: () => number;
}

const backupOnly: readonly FaultKind[] = [
  'disable-region',
  'bad-date',
  'big-integer',
  'missing-id',
  'unknown-state',
  'unknown-field',
  'half-character',
  'repeat-token',
  'token-cycle',
  'expire-token',
  'empty-page-with-token',
  'cut-short',
  'served-empty',
];

export async function answerAws(parts: AwsParts, request: WireRequest, requestId: string): Promise<Fate> {
  const claim = readClaim(request.headers);
  const protocol = protocols[claim?.service ?? ''] ?? 'rest-json';
  const parameters = parametersOf(claim?.service ?? '', request);
  let api = 'unknown';
  let account = '';
  const note = (status: number, error: string | null) =>
    claim === null
      ? parts.log.addUnsigned()
      : parts.log.add({ api, account, region: claim.region, status, error, parameters });
  try {
    if (claim === null) {
      throw new ServiceError(403, 'MissingAuthenticationTokenException', 'Missing Authentication Token');
    }
    const service = parts.services[claim.service];
    if (service === undefined) {
      throw new ServiceError(404, 'UnknownOperationException', `There is no service ${claim.service} here.`);
    }
    api = operationOf(claim.service, request);
    const clocks = [parts.clock.now, parts.realNow()];
    const identity = await authenticate(request, claim, protocol, parts.credentials, clocks, parts.realNow());
    account = subjectOf(api, identity, parameters);
    const subject = { api, account, region: claim.region };
    const faults = parts.faults.meet(subject, (fault) => reaches(fault, api, request));
    for (const fault of faults) {
      if (fault.kind === 'slow') await sleep(fault.ms ?? 1000);
      if (fault.kind === 'hang' || fault.kind === 'drop') {
        note(0, fault.kind);
        return { silence: fault.kind };
      }
      const error = errorOf(fault, api, identity, protocol, String(parameters.RoleArn ?? ''));
      if (error !== null) throw error;
    }
    const { now } = parts.clock;
    const answer = service({ api, identity, region: claim.region, request, requestId, now, faults });
    note(answer.status, null);
    const wrong = faults.find(({ kind }) => kind === 'wrong-date');
    if (wrong === undefined) return { answer };
    const date = new Date(now + (wrong.ms ?? 0)).toUTCString();
    return { answer: { ...answer, headers: { ...answer.headers, Date: date } } };
  } catch (error) {
    const known =
      error instanceof ServiceError
        ? error
        : new ServiceError(500, 'InternalFailure', `The simulator failed: ${String(error)}`);
    note(known.status, known.code);
    return { answer: errorAnswer(protocol, known, requestId) };
  }
}

function subjectOf(api: string, identity: Identity, parameters: Readonly<Record<string, unknown>>): string {
  if (api !== 'AssumeRole') return identity.accountId;
  return /^arn:[^:]+:iam::(\d{12}):/.exec(String(parameters.RoleArn))?.[1] ?? identity.accountId;
}

/** A fault without an API applies only to AWS Backup's two operations; `*` applies to all. */
function reaches(fault: FaultInput, api: string, request: WireRequest): boolean {
  const isBackup = api === 'ListCopyJobs' || api === 'ListCopyJobSummaries';
  if (backupOnly.includes(fault.kind) && !isBackup) return false;
  if (fault.kind === 'require-external-id') return api === 'AssumeRole';
  const hasToken = 'nextToken' in request.query || 'NextToken' in request.query;
  if (fault.kind === 'expire-token' && !hasToken) return false;
  return fault.api !== undefined || isBackup;
}

function errorOf(
  fault: FaultInput,
  api: string,
  identity: Identity,
  protocol: Protocol,
  roleArn: string,
): ServiceError | null {
  switch (fault.kind) {
    case 'deny':
      return deniedAs(api, identity, protocol, roleArn);
    case 'disable-region':
      return new ServiceError(
        403,
        'UnrecognizedClientException',
        'The security token included in the request is invalid.',
      );
    case 'throttle':
      return throttled(fault.error ?? 'ThrottlingException', protocol);
    case 'server-error':
      return new ServiceError(
        fault.status ?? 500,
        fault.error ?? 'ServiceUnavailableException',
        'The request failed due to a temporary failure of the server.',
      );
    case 'expired-credentials':
      return expired(protocol);
    default:
      return null;
  }
}

function deniedAs(api: string, identity: Identity, protocol: Protocol, roleArn: string): ServiceError {
  switch (protocol) {
    case 'query':
      return notAuthorized(identity, roleArn);
    case 'json-1.1':
      return new ServiceError(
        400,
        'AccessDeniedException',
        "You don't have permissions to access this resource.",
      );
    case 'ec2':
      return new ServiceError(
        403,
        'UnauthorizedOperation',
        'You are not authorized to perform this operation.',
      );
    case 'rest-json':
      return api === 'ListRegions'
        ? new ServiceError(
            403,
            'AccessDeniedException',
            `User: ${identity.arn} is not authorized to perform: account:ListRegions`,
          )
        : denied(identity.arn, api);
  }
}

/** The three forms of throttling by AWS Backup, and those of the other protocols. */
function throttled(error: string, protocol: Protocol): ServiceError {
  if (error === '429') return new ServiceError(429, '', '');
  if (protocol === 'query') return new ServiceError(400, 'Throttling', 'Rate exceeded');
  if (protocol === 'ec2') return new ServiceError(503, 'RequestLimitExceeded', 'Request limit exceeded.');
  const status = protocol === 'json-1.1' || error === 'ThrottlingException' ? 400 : 429;
  return new ServiceError(status, error, 'Rate exceeded');
}
