/** What can be done to a connection or a request, to which of them, and when: data, so that a seed can draw it. */
import { drawn } from './seeded.ts';

/** A connection that a proxy is asked for, or a request. */
export interface Subject {
  readonly stage: 'connect' | 'request';
  /** sts, backup, organizations, account, ec2 or s3. */
  readonly service: string;
  /** ListCopyJobs, AssumeRole, PutObject, …; CONNECT. */
  readonly api: string;
  readonly region: string;
  /** The access key; empty where there is none. */
  readonly caller: string;
  /** Of S3, below the bucket; else the path. */
  readonly key: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Instead of AWS's answer. */
export interface Instead {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type Deed =
  /** The connection ends without an answer, as a FIN or as an RST. */
  | { readonly kind: 'drop' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang' }
  /** Bytes that are no HTTP. */
  | { readonly kind: 'garbage' }
  /** A fatal TLS alert in place of a handshake. Connections only. */
  | { readonly kind: 'alert' }
  /** A server that nobody trusts takes the connection. Connections only. */
  | { readonly kind: 'stranger' }
  /** Something else answers: AWS never hears of it. */
  | { readonly kind: 'answer'; readonly answer: Instead }
  /** Refused unless a header is there. */
  | { readonly kind: 'demand'; readonly header: RegExp; readonly answer: Instead }
  /** AWS acts, and its answer is lost. */
  | { readonly kind: 'lose' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** The body ends, or stalls, after so many bytes. */
  | { readonly kind: 'cut'; readonly bytes: number }
  | { readonly kind: 'stall'; readonly bytes: number }
  /** The body comes in small pieces that take so long together. */
  | { readonly kind: 'drip'; readonly ms: number }
  /** The answer before this one, of the same caller, API and region, comes once more. */
  | { readonly kind: 'stale' }
  /** The Date header is wrong by so much; null: there is none. */
  | { readonly kind: 'date'; readonly byMs: number | null }
  | { readonly kind: 'rewrite'; readonly rewrite: (body: string) => string };

export interface Hurt {
  /** Default: request. */
  readonly stage?: 'connect' | 'request';
  readonly service?: string;
  readonly api?: string;
  readonly region?: string;
  readonly key?: RegExp;
  /** So many that match are let through first. */
  readonly after?: number;
  /** So many are met; all where it is not said. */
  readonly count?: number;
  /** 0 to 1: the share of those that match. */
  readonly probability?: number;
  readonly deed: Deed;
}

interface Standing {
  readonly hurt: Hurt;
  seen: number;
  met: number;
  /** How often each subject came: the draw for its nth time is always the same. */
  readonly turns: Map<string, number>;
}

export class Hurts {
  readonly #seed: number;
  #standing: readonly Standing[] = [];

  constructor(seed: number) {
    this.#seed = seed;
  }

  set(hurts: readonly Hurt[]): void {
    this.#standing = hurts.map((hurt) => ({ hurt, seen: 0, met: 0, turns: new Map() }));
  }

  /** How many requests and connections were hurt since they were set. */
  get met(): number {
    return this.#standing.reduce((sum, { met }) => sum + met, 0);
  }

  /** Asking counts as meeting, so ask once. */
  meet(subject: Subject): readonly Deed[] {
    return this.#standing.flatMap((standing, number) => {
      const { hurt } = standing;
      if (!matches(hurt, subject)) return [];
      standing.seen += 1;
      if (standing.seen <= (hurt.after ?? 0) || standing.met >= (hurt.count ?? Number.POSITIVE_INFINITY))
        return [];
      if (hurt.probability !== undefined && this.#draw(standing, number, subject) >= hurt.probability)
        return [];
      standing.met += 1;
      return [hurt.deed];
    });
  }

  #draw({ turns }: Standing, number: number, { service, api, region, caller, key }: Subject): number {
    const who = [service, api, region, caller, service === 's3' ? key : ''].join(' ');
    const turn = turns.get(who) ?? 0;
    turns.set(who, turn + 1);
    return drawn(this.#seed, number, who, turn);
  }
}

function matches(hurt: Hurt, subject: Subject): boolean {
  return (
    (hurt.stage ?? 'request') === subject.stage &&
    (hurt.service === undefined || hurt.service === subject.service) &&
    (hurt.api === undefined || hurt.api === subject.api) &&
    (hurt.region === undefined || hurt.region === subject.region) &&
    (hurt.key === undefined || hurt.key.test(subject.key))
  );
}
