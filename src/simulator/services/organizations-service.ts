/** Organizations: accounts and units, in pages of twenty, some of them empty. */
import { jsonAnswer, ServiceError } from '../responses.ts';
import { type Account, type Organization, organizationRole } from '../simulated-organization.ts';
import type { Tokens } from '../tokens.ts';
import { readBody } from './json-body.ts';
import type { Call, Service } from './service-call.ts';

const LARGEST_PAGE = 20;

export function organizationsService(organization: Organization, tokens: Tokens): Service {
  const prefix = `arn:aws:organizations::${organization.management.id}`;
  return (call) => {
    const { identity, api } = call;
    const isReader = identity.role === null || identity.role === organizationRole;
    if (identity.accountId !== organization.management.id || !isReader) {
      throw new ServiceError(
        400,
        'AccessDeniedException',
        "You don't have permissions to access this resource.",
      );
    }
    const body = readBody(
      call.request.body,
      (message) => new ServiceError(400, 'InvalidInputException', message),
    );
    switch (api) {
      case 'ListAccounts':
        return paged(call, body, tokens, 'Accounts', organization.all.map(accountOf), 'after-first');
      case 'ListRoots': {
        const { rootId, id } = organization;
        const root = { Id: rootId, Arn: `${prefix}:root/${id}/${rootId}`, Name: 'Root', PolicyTypes: [] };
        return paged(call, body, tokens, 'Roots', [root], 'never');
      }
      case 'ListOrganizationalUnitsForParent': {
        const parentId = parentOf(organization, body.ParentId);
        const units = organization.units
          .filter((unit) => unit.parentId === parentId)
          .map(({ id, name }) => ({ Id: id, Arn: `${prefix}:ou/${organization.id}/${id}`, Name: name }));
        return paged(call, body, tokens, 'OrganizationalUnits', units, 'never');
      }
      default: {
        const parentId = parentOf(organization, body.ParentId);
        const accounts = organization.all.filter((account) => account.parentId === parentId);
        return paged(call, body, tokens, 'Accounts', accounts.map(accountOf), 'at-first');
      }
    }
  };

  function accountOf(account: Account, index: number): object {
    return {
      Id: account.id,
      Arn: `${prefix}:account/${organization.id}/${account.id}`,
      Email: account.email,
      Name: account.name,
      Status: account.state,
      // Some partitions do not return it yet.
      ...(index % 11 === 7 ? {} : { State: account.state }),
      JoinedMethod: account.joined,
      JoinedTimestamp: account.joinedAt / 1000,
    };
  }
}

function parentOf(organization: Organization, parentId: unknown): string {
  const units = organization.units.map((unit) => unit.id);
  if (typeof parentId === 'string' && [organization.rootId, ...units].includes(parentId)) return parentId;
  throw new ServiceError(
    400,
    'ParentNotFoundException',
    "You specified a root or organizational unit (OU) that doesn't exist.",
  );
}

/** @param empty where an empty page with a token is inserted, which Organizations may return */
function paged(
  call: Call,
  body: Readonly<Record<string, unknown>>,
  tokens: Tokens,
  field: string,
  all: readonly object[],
  empty: 'after-first' | 'at-first' | 'never',
) {
  const size = body.MaxResults ?? LARGEST_PAGE;
  if (typeof size !== 'number' || !(size >= 1 && size <= LARGEST_PAGE)) {
    throw new ServiceError(400, 'InvalidInputException', 'You specified an invalid value for MaxResults.');
  }
  const purpose = `${call.api} ${String(body.ParentId)}`;
  const token = typeof body.NextToken === 'string' ? tokens.open(purpose, body.NextToken) : null;
  if (body.NextToken !== undefined && body.NextToken !== null && token === null) {
    throw new ServiceError(400, 'InvalidInputException', 'You provided an invalid pagination token.');
  }
  const [offset = 0, wasEmpty = 0] = token?.place ?? [];
  const isEmpty =
    !wasEmpty && all.length > 0 && offset === (empty === 'at-first' ? 0 : size) && empty !== 'never';
  if (isEmpty) {
    return jsonAnswer('json-1.1', { [field]: [], NextToken: tokens.seal(purpose, [offset, 1]) });
  }
  const next = offset + size < all.length ? tokens.seal(purpose, [offset + size, 0]) : undefined;
  return jsonAnswer('json-1.1', { [field]: all.slice(offset, offset + size), NextToken: next });
}
