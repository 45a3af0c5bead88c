/** Finds the operation and protocol of a request. */
import { type Protocol, ServiceError } from './responses.ts';
import type { WireRequest } from './signatures.ts';

export const protocols: Readonly<Record<string, Protocol>> = {
  backup: 'rest-json',
  account: 'rest-json',
  organizations: 'json-1.1',
  sts: 'query',
  ec2: 'ec2',
};

/** The SDK uses these paths; botocore adds a slash at the end. */
const paths: Readonly<Record<string, string>> = {
  'backup GET /copy-jobs': 'ListCopyJobs',
  'backup GET /audit/copy-job-summaries': 'ListCopyJobSummaries',
  'account POST /listRegions': 'ListRegions',
};

const operations: Readonly<Record<string, readonly string[]>> = {
  organizations: ['ListAccounts', 'ListRoots', 'ListOrganizationalUnitsForParent', 'ListAccountsForParent'],
  sts: ['AssumeRole', 'GetCallerIdentity'],
  ec2: ['DescribeRegions'],
};

/** @param service the service that the request is signed for */
export function operationOf(service: string, request: WireRequest): string {
  const path = paths[`${service} ${request.method} ${request.path.replace(/(.)\/$/, '$1')}`];
  if (path !== undefined) return path;
  const asked =
    service === 'organizations'
      ? (request.headers['x-amz-target'] ?? '').split('.').at(-1)
      : new URLSearchParams(request.body).get('Action');
  const known = operations[service]?.find((operation) => operation === asked);
  if (known !== undefined) return known;
  if (service === 'sts' || service === 'ec2') {
    throw new ServiceError(400, 'InvalidAction', `The action ${asked ?? ''} is not valid for this endpoint.`);
  }
  throw new ServiceError(404, 'UnknownOperationException', `The simulator has no operation ${request.path}.`);
}

/** A request's parameters, for the request log. */
export function parametersOf(service: string, request: WireRequest): Readonly<Record<string, unknown>> {
  if (service === 'sts' || service === 'ec2') return Object.fromEntries(new URLSearchParams(request.body));
  if (request.body === '') return request.query;
  try {
    const parsed: unknown = JSON.parse(request.body);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}
