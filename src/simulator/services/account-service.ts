/** Account Management: ListRegions (REST with JSON). */

import type { RegionStatus } from '../region-statuses.ts';
import { jsonAnswer, ServiceError } from '../responses.ts';
import type { Organization } from '../simulated-organization.ts';
import type { Tokens } from '../tokens.ts';
import { readBody } from './json-body.ts';
import type { Service } from './service-call.ts';

const statuses = ['ENABLED', 'ENABLING', 'DISABLING', 'DISABLED', 'ENABLED_BY_DEFAULT'];

export function accountService(
  organization: Organization,
  regions: readonly RegionStatus[],
  tokens: Tokens,
): Service {
  return ({ identity, request }) => {
    const body = readBody(request.body, invalid);
    const { AccountId, MaxResults = 50, NextToken, RegionOptStatusContains = statuses } = body;
    const known = organization.active.some((account) => account.id === AccountId);
    const isOther = AccountId !== undefined && AccountId !== identity.accountId;
    if (isOther && (identity.accountId !== organization.management.id || !known)) {
      throw new ServiceError(
        403,
        'AccessDeniedException',
        `User: ${identity.arn} is not authorized to perform: account:ListRegions`,
      );
    }
    if (typeof MaxResults !== 'number' || !(MaxResults >= 1 && MaxResults <= 50)) {
      throw invalid('MaxResults must be between 1 and 50.');
    }
    if (
      !Array.isArray(RegionOptStatusContains) ||
      !RegionOptStatusContains.every((one) => statuses.includes(one))
    ) {
      throw invalid(`RegionOptStatusContains may hold ${statuses.join(', ')}.`);
    }
    const purpose = `ListRegions ${JSON.stringify(RegionOptStatusContains)}`;
    const token = typeof NextToken === 'string' ? tokens.open(purpose, NextToken) : null;
    if (NextToken !== undefined && token === null) throw invalid('NextToken is not valid.');
    const [offset = 0] = token?.place ?? [];
    const found = regions.filter(({ status }) => RegionOptStatusContains.includes(status));
    const end = offset + MaxResults;
    return jsonAnswer('rest-json', {
      Regions: found
        .slice(offset, end)
        .map(({ name, status }) => ({ RegionName: name, RegionOptStatus: status })),
      NextToken: end < found.length ? tokens.seal(purpose, [end]) : undefined,
    });
  };
}

function invalid(message: string): ServiceError {
  return new ServiceError(400, 'ValidationException', message);
}
