/** STS: GetCallerIdentity and AssumeRole (query protocol). */

import type { Credentials, Identity } from '../access-keys.ts';
import { escapeXml, queryAnswer, ServiceError } from '../responses.ts';
import { SECOND } from '../simulated-clock.ts';
import { lakeRole, type Organization, organizationRole, readerRole } from '../simulated-organization.ts';
import type { Service } from './service-call.ts';

const HOUR_SECONDS = 3600;

/** @param externalId what the reader roles require; @param realNow real time, for the expiry of sessions */
export function stsService(
  organization: Organization,
  credentials: Credentials,
  externalId: string | null,
  realNow: () => number,
): Service {
  return (call) => {
    const { api, identity, request, requestId } = call;
    if (api === 'GetCallerIdentity') {
      const { userId, accountId, arn } = identity;
      const result = `<Arn>${escapeXml(arn)}</Arn><UserId>${escapeXml(userId)}</UserId><Account>${accountId}</Account>`;
      return queryAnswer(api, result, requestId);
    }
    const wanted = readRequest(new URLSearchParams(request.body));
    const seconds = durationOf(wanted.duration, identity);
    const demanded = call.faults.find((fault) => fault.kind === 'require-external-id')?.externalId;
    if (!mayAssume(organization, identity, wanted, demanded ?? externalId)) {
      throw notAuthorized(identity, wanted.roleArn);
    }
    const expires = Math.floor(realNow() / SECOND) * SECOND + seconds * SECOND;
    const session = credentials.issue(wanted.accountId, wanted.role, wanted.sessionName, expires);
    const result =
      `<AssumedRoleUser><AssumedRoleId>${escapeXml(session.identity.userId)}</AssumedRoleId>` +
      `<Arn>${escapeXml(session.identity.arn)}</Arn></AssumedRoleUser>` +
      `<Credentials><AccessKeyId>${session.accessKeyId}</AccessKeyId>` +
      `<SecretAccessKey>${session.secretAccessKey}</SecretAccessKey>` +
      `<SessionToken>${session.sessionToken}</SessionToken>` +
      `<Expiration>${new Date(expires).toISOString().replace('.000', '')}</Expiration></Credentials>`;
    return queryAnswer(api, result, requestId);
  };
}

interface Wanted {
  readonly roleArn: string;
  readonly accountId: string;
  readonly role: string;
  readonly sessionName: string;
  readonly externalId: string | null;
  readonly duration: string | null;
}

function readRequest(form: URLSearchParams): Wanted {
  const roleArn = form.get('RoleArn') ?? '';
  const match = /^arn:aws:iam::(\d{12}):role\/(?:[\w+=,.@/-]*\/)?([\w+=,.@-]{1,64})$/.exec(roleArn);
  const [, accountId, role] = match ?? [];
  if (!accountId || !role) throw invalid(`${roleArn} is invalid`);
  const sessionName = form.get('RoleSessionName') ?? '';
  if (!/^[\w+=,.@-]{2,64}$/.test(sessionName)) {
    throw invalid(`Value '${sessionName}' at 'roleSessionName' must match [\\w+=,.@-]{2,64}`);
  }
  return {
    roleArn,
    accountId,
    role,
    sessionName,
    externalId: form.get('ExternalId'),
    duration: form.get('DurationSeconds'),
  };
}

/** 15 minutes to 12 hours; at most one hour if a session asks: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
function durationOf(text: string | null, identity: Identity): number {
  const seconds = text === null ? HOUR_SECONDS : Number(text);
  if (!Number.isInteger(seconds) || seconds < 900 || seconds > 12 * HOUR_SECONDS) {
    throw invalid(`Value '${text}' at 'durationSeconds' must be between 900 and 43200`);
  }
  if (identity.role !== null && seconds > HOUR_SECONDS) {
    throw invalid(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    );
  }
  return seconds;
}

/**
 * Only the management account's principals are trusted. Member accounts have the reader role; the management account has
 * the other two roles, but not the reader role.
 */
function mayAssume(
  organization: Organization,
  identity: Identity,
  wanted: Wanted,
  externalId: string | null,
): boolean {
  const { management, active } = organization;
  if (identity.accountId !== management.id) return false;
  if (wanted.accountId === management.id) return wanted.role === organizationRole || wanted.role === lakeRole;
  const isActive = active.some((account) => account.id === wanted.accountId);
  return isActive && wanted.role === readerRole && (externalId === null || wanted.externalId === externalId);
}

export function notAuthorized(identity: Identity, roleArn: string): ServiceError {
  return new ServiceError(
    403,
    'AccessDenied',
    `User: ${identity.arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
  );
}

function invalid(message: string): ServiceError {
  return new ServiceError(400, 'ValidationError', message);
}
