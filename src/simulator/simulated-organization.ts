/** The simulated organization: its accounts, its units, and the roles in them. */
import { Random } from './random.ts';

export type AccountState = 'ACTIVE' | 'SUSPENDED' | 'PENDING_CLOSURE';

export interface Account {
  /** Twelve digits, sometimes with a leading zero. */
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly state: AccountState;
  readonly joined: 'INVITED' | 'CREATED';
  /** Milliseconds since the epoch. */
  readonly joinedAt: number;
  /** The id of its root or unit. */
  readonly parentId: string;
}

export interface Unit {
  readonly id: string;
  readonly name: string;
  readonly parentId: string;
}

export interface Organization {
  readonly id: string;
  readonly rootId: string;
  readonly units: readonly Unit[];
  /** Active accounts, the management account first. Indexes of accounts refer to this order. */
  readonly active: readonly Account[];
  /** All accounts, in the order of ListAccounts. */
  readonly all: readonly Account[];
  readonly management: Account;
}

/** The role of every member account; the management account does not have it. */
export const readerRole = 'BackupCopyExportReader';
/** Roles of the management account, for `--organization-role-arn` and `--lake-role-arn`. */
export const organizationRole = 'BackupCopyExportOrganizationReader';
export const lakeRole = 'BackupCopyExportLakeWriter';

const unitTree = [
  { name: 'Security', parent: null },
  { name: 'Infrastructure', parent: null },
  { name: 'Workloads', parent: null },
  { name: 'Production', parent: 'Workloads' },
  { name: 'Non-Production', parent: 'Workloads' },
  { name: 'Sandboxes', parent: 'Non-Production' },
  { name: 'Empty', parent: null },
  { name: 'Suspended', parent: null },
] as const;

const memberUnits = ['Security', 'Infrastructure', 'Production', 'Non-Production', 'Sandboxes', 'Production'];
const products = [
  'payments',
  'ledger',
  'search',
  'media',
  'identity',
  'orders',
  'reports',
  'données',
  '基幹',
];
const stages = ['prod', 'staging', 'dev', 'dr', 'shared'];

/** @param active how many active accounts, at least 1 */
export function makeOrganization(seed: number, active: number): Organization {
  const random = new Random().key(seed, 1, 0, 0, 0, 0);
  const rootId = `r-${random.hex(4)}`;
  const ids = new Map<string, string>();
  const units: Unit[] = unitTree.map(({ name, parent }) => {
    const id = `ou-${rootId.slice(2)}-${random.hex(8)}`;
    ids.set(name, id);
    return { id, name, parentId: parent === null ? rootId : (ids.get(parent) ?? rootId) };
  });
  const used = new Set<string>();
  const makeAccount = (index: number, state: AccountState): Account => {
    const name =
      index === 0
        ? 'management'
        : `${random.pick(products)}-${random.pick(stages)}-${String(index).padStart(4, '0')}`;
    const unit =
      index === 0 || index % 7 === 5 ? null : (memberUnits[index % memberUnits.length] ?? 'Infrastructure');
    return {
      id: accountId(random, used, index % 6 === 3),
      name,
      email: `aws+${index === 0 ? 'management' : index}@example.com`,
      state,
      joined: index % 5 === 4 ? 'INVITED' : 'CREATED',
      joinedAt: Date.UTC(2019, 0, 1) + random.below(6 * 365 * 86400) * 1000 + random.below(1000),
      parentId: ids.get(state === 'ACTIVE' ? (unit ?? '') : 'Suspended') ?? rootId,
    };
  };
  const management = makeAccount(0, 'ACTIVE');
  const members = Array.from({ length: active - 1 }, (_, index) => makeAccount(index + 1, 'ACTIVE'));
  const gone = [makeAccount(active, 'SUSPENDED'), makeAccount(active + 1, 'PENDING_CLOSURE')];
  const actives = [management, ...members];
  const all = [...actives];
  for (const account of gone) all.splice(random.below(all.length + 1), 0, account);
  return { id: `o-${random.hex(12)}`, rootId, units, active: actives, all, management };
}

function accountId(random: Random, used: Set<string>, leadingZero: boolean): string {
  for (;;) {
    const first = leadingZero ? 0 : 1 + random.below(9);
    const id = `${first}${String(random.below(1e9)).padStart(9, '0')}${String(random.below(100)).padStart(2, '0')}`;
    if (!used.has(id)) {
      used.add(id);
      return id;
    }
  }
}
