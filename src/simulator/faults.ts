/** What can be made to go wrong, for whom, and how often. */
import { mixHash, Random } from './random.ts';

/** Every kind, and what it does to a request that it meets. */
export const faultKinds = {
  deny: 'AccessDenied(Exception)',
  'disable-region': 'the region does not know the caller’s token; it stays in the lists of regions',
  hang: 'the request is taken and never answered',
  throttle: 'throttled; `error`: ThrottlingException, TooManyRequestsException or 429 (without a body)',
  'server-error': '`status` (500) with `error` (ServiceUnavailableException)',
  'bad-json': 'status 200, and a body that ends too early',
  'bad-date': 'the first record’s date cannot be read',
  'big-integer': 'the first record’s size or count is above 2^53',
  'moved-date': 'every copy job of the page was created `ms` later (below 0: earlier) than it was',
  'missing-id': 'the first record has no CopyJobId',
  'half-character': 'a text of the first record holds half a surrogate pair',
  'unknown-state': 'the first record’s state is one that nobody knows',
  'unknown-field': 'the first record has a field that nobody knows',
  'repeat-token': 'the next token is always the same',
  'token-cycle': 'the next tokens go A, B, A, B, …',
  'expire-token': 'a token that comes back is refused',
  'expired-credentials': 'the session’s credentials have expired',
  slow: 'answered after `ms` (1000)',
  'empty-page-with-token': 'an empty page with a token comes before every page',
  drop: 'the connection is closed without an answer',
  'wrong-date': 'the answer’s Date is wrong by `ms`, which may be negative',
  'require-external-id': 'the role asks for `externalId`',
} as const;

export type FaultKind = keyof typeof faultKinds;

/**
 * As it comes in. An account or region that is not said, or is `*`, means all of them. An api that is not
 * said means the two operations of AWS Backup (of `require-external-id`: AssumeRole); `*` means all.
 */
export interface FaultInput {
  readonly kind: FaultKind;
  readonly api?: string;
  /** Of AssumeRole: the role's account; else the caller's. */
  readonly account?: string;
  readonly region?: string;
  /** How many requests it meets; for ever where it is not said. */
  readonly count?: number;
  /** Requests that match are let through before it begins. */
  readonly after?: number;
  /** 0 to 1: how many of the requests that match it meets. */
  readonly probability?: number;
  /** Requests a second that are let through, for each account, region and api; in real time. */
  readonly rate?: number;
  readonly error?: string;
  readonly status?: number;
  readonly ms?: number;
  readonly externalId?: string;
}

const fields: Readonly<Record<string, 'string' | 'number'>> = {
  kind: 'string',
  api: 'string',
  account: 'string',
  region: 'string',
  count: 'number',
  after: 'number',
  probability: 'number',
  rate: 'number',
  error: 'string',
  status: 'number',
  ms: 'number',
  externalId: 'string',
};

/** What is wrong with a list of faults. */
export class FaultError extends Error {}

export function parseFaults(input: unknown): readonly FaultInput[] {
  if (!Array.isArray(input)) throw new FaultError('faults are a JSON array of objects with a "kind"');
  return input.map(parseFault);
}

function parseFault(input: unknown): FaultInput {
  if (typeof input !== 'object' || input === null) throw new FaultError('a fault is an object with a "kind"');
  for (const [name, value] of Object.entries(input)) {
    const type = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (type === undefined) {
      throw new FaultError(`a fault has no "${name}"; it may have ${Object.keys(fields).join(', ')}`);
    }
    if (typeof value !== type) throw new FaultError(`a fault's "${name}" must be a ${type}`);
  }
  if (!('kind' in input) || typeof input.kind !== 'string' || !Object.hasOwn(faultKinds, input.kind)) {
    const kind = 'kind' in input ? String(input.kind) : '';
    throw new FaultError(`"${kind}" is not a kind of fault; known are ${Object.keys(faultKinds).join(', ')}`);
  }
  // Safe: every property has been checked above, by name and type.
  return input as FaultInput;
}

/** The request that a fault may meet. */
export interface FaultSubject {
  readonly api: string;
  readonly account: string;
  readonly region: string;
}

interface ActiveFault {
  readonly fault: FaultInput;
  readonly number: number;
  seen: number;
  met: number;
  /** For `rate`: what each subject may still ask for, and when that was so. */
  readonly allowances: Map<string, { left: number; at: number }>;
}

export class Faults {
  readonly #seed: number;
  readonly #random = new Random();
  readonly #realNow: () => number;
  #standing: ActiveFault[] = [];
  #added = 0;

  /** @param realNow what `rate` is measured by: milliseconds */
  constructor(seed: number, initial: readonly FaultInput[], realNow: () => number) {
    this.#seed = seed;
    this.#realNow = realNow;
    this.add(initial);
  }

  add(faults: readonly FaultInput[]): void {
    for (const fault of faults) {
      this.#standing.push({ fault, number: this.#added++, seen: 0, met: 0, allowances: new Map() });
    }
  }

  clear(): void {
    this.#standing = [];
  }

  list(): readonly (FaultInput & { readonly met: number })[] {
    return this.#standing.map(({ fault, met }) => ({ ...fault, met }));
  }

  /** The faults that meet a request. Asking counts as meeting, so ask once for each request. */
  meet(subject: FaultSubject, applies: (fault: FaultInput) => boolean): readonly FaultInput[] {
    const met: FaultInput[] = [];
    for (const standing of this.#standing) {
      const { fault } = standing;
      if (!matches(fault, subject) || !applies(fault)) continue;
      const turn = standing.seen++;
      if (turn < (fault.after ?? 0) || standing.met >= (fault.count ?? Number.POSITIVE_INFINITY)) continue;
      if (!this.#isDrawn(standing, subject, turn) || this.#isAllowed(standing, subject)) continue;
      standing.met++;
      met.push(fault);
    }
    return met;
  }

  /** A bucket that holds one second's requests, for each subject. */
  #isAllowed({ fault, allowances }: ActiveFault, { api, account, region }: FaultSubject): boolean {
    if (fault.rate === undefined) return false;
    const key = `${api} ${account} ${region}`;
    const now = this.#realNow();
    const known = allowances.get(key) ?? { left: fault.rate, at: now };
    const left = Math.min(fault.rate, known.left + ((now - known.at) / 1000) * fault.rate);
    allowances.set(key, { left: left >= 1 ? left - 1 : left, at: now });
    return left >= 1;
  }

  #isDrawn({ fault, number }: ActiveFault, subject: FaultSubject, turn: number): boolean {
    if (fault.probability === undefined) return true;
    let who = 0;
    for (const letter of `${subject.api} ${subject.account} ${subject.region}`) {
      who = mixHash(who, letter.codePointAt(0) ?? 0);
    }
    return this.#random.key(this.#seed, 12, number, turn, who, 0).chance(fault.probability);
  }
}

function matches(fault: FaultInput, subject: FaultSubject): boolean {
  return (
    isOrAny(fault.api, subject.api) &&
    isOrAny(fault.account, subject.account) &&
    isOrAny(fault.region, subject.region)
  );
}

function isOrAny(wanted: string | undefined, value: string): boolean {
  return wanted === undefined || wanted === '*' || wanted === value;
}
