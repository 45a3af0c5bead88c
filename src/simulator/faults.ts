/** The faults that the simulator can inject: which, for which requests, and how often. */
import { mixHash, Random } from './random.ts';

/** Every kind of fault, and its effect on a request. */
export const faultKinds = {
  deny: 'AccessDenied(Exception)',
  'disable-region': 'the region rejects the caller’s token, but stays in the lists of regions',
  hang: 'the request is accepted and never answered',
  throttle: 'throttled; `error`: ThrottlingException, TooManyRequestsException or 429 (without a body)',
  'server-error': '`status` (500) with `error` (ServiceUnavailableException)',
  'bad-json': 'status 200 with a truncated body',
  'bad-date': 'the first record’s date is invalid',
  'big-integer': 'the first record’s size or count is above 2^53',
  'moved-date': 'every creation date in the page is `ms` later than it was (negative: earlier)',
  'missing-id': 'the first record has no CopyJobId',
  'half-character': 'a text in the first record contains half a surrogate pair',
  'unknown-state': 'the first record has an unknown state',
  'unknown-field': 'the first record has an unknown field',
  'repeat-token': 'the next token is always the same',
  'token-cycle': 'the next tokens alternate: A, B, A, B, …',
  'expire-token': 'a page token is rejected when it is used',
  'expired-credentials': 'the session’s credentials have expired',
  slow: 'the response comes after `ms` (1000) at the earliest',
  'empty-page-with-token': 'an empty page with a token precedes every page',
  'cut-short': 'the page has half of its records and no next token, as if the list ended there',
  'served-empty': 'the list is empty, with status 200',
  drop: 'the connection is closed without an answer',
  'wrong-date': 'the response’s Date header is wrong by `ms`, which may be negative',
  'require-external-id': 'the role requires `externalId`',
} as const;

export type FaultKind = keyof typeof faultKinds;

/**
 * A fault as a client sends it. Without `account` or `region`, or with `*`, it applies to all of them. Without `api` it
 * applies to AWS Backup's two operations (`require-external-id`: to AssumeRole); `*` applies to all.
 */
export interface FaultInput {
  readonly kind: FaultKind;
  readonly api?: string;
  /** The caller's account; for AssumeRole, the role's. */
  readonly account?: string;
  readonly region?: string;
  /** How many requests it applies to; without it, there is no limit. */
  readonly count?: number;
  /** How many matching requests pass before it begins. */
  readonly after?: number;
  /** 0 to 1: the share of matching requests that it applies to. */
  readonly probability?: number;
  /** Requests per second that pass, for each account, region and api, in real time. */
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

/** A list of faults is invalid. */
export class FaultError extends Error {}

export function parseFaults(input: unknown): readonly FaultInput[] {
  if (!Array.isArray(input)) throw new FaultError('faults must be a JSON array of objects with a "kind"');
  return input.map(parseFault);
}

function parseFault(input: unknown): FaultInput {
  if (typeof input !== 'object' || input === null)
    throw new FaultError('a fault must be an object with a "kind"');
  for (const [name, value] of Object.entries(input)) {
    const type = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (type === undefined) {
      throw new FaultError(
        `a fault has no field "${name}"; its fields are ${Object.keys(fields).join(', ')}`,
      );
    }
    if (typeof value !== type) throw new FaultError(`a fault's "${name}" must be a ${type}`);
  }
  if (!('kind' in input) || typeof input.kind !== 'string' || !Object.hasOwn(faultKinds, input.kind)) {
    const kind = 'kind' in input ? String(input.kind) : '';
    throw new FaultError(
      `"${kind}" is not a kind of fault; the kinds are ${Object.keys(faultKinds).join(', ')}`,
    );
  }
  // Safe: the name and type of every property have been checked above.
  return input as FaultInput;
}

/** The request that a fault may apply to. */
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
  /** For `rate`: how many requests each subject has left, and when that was computed. */
  readonly allowances: Map<string, { left: number; at: number }>;
}

export class Faults {
  readonly #seed: number;
  readonly #random = new Random();
  readonly #realNow: () => number;
  #standing: ActiveFault[] = [];
  #added = 0;

  /** @param realNow real time in milliseconds, for `rate` */
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

  /** The faults that apply to a request. Each call counts as one request. */
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

  /** A token bucket per subject, with room for one second's requests. */
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
