/** Counts the requests that the simulator received, and keeps the latest ones in full. */

export interface LoggedRequest {
  readonly api: string;
  /** The caller's account; for AssumeRole, the role's. '' if the sender is unknown. */
  readonly account: string;
  readonly region: string;
  /** 0: never answered, or the connection was closed. */
  readonly status: number;
  /** The error's name, or null. */
  readonly error: string | null;
  /** The query parameters, or the body if there is one. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface RequestSummary {
  readonly total: number;
  readonly counts: readonly (Pick<LoggedRequest, 'api' | 'status' | 'error'> & { readonly count: number })[];
  /** Unsigned requests. They are rejected and counted only here. */
  readonly unsigned: number;
  /** Oldest first. */
  readonly recent: readonly LoggedRequest[];
}

const KEPT = 10_000;

export class RequestLog {
  #total = 0;
  #unsigned = 0;
  #recent: LoggedRequest[] = [];
  readonly #counts = new Map<string, { api: string; status: number; error: string | null; count: number }>();

  add(request: LoggedRequest): void {
    this.#total++;
    this.#recent.push(request);
    if (this.#recent.length >= 2 * KEPT) this.#recent = this.#recent.slice(-KEPT);
    const { api, status, error } = request;
    const key = `${api} ${status} ${error ?? ''}`;
    const known = this.#counts.get(key);
    if (known) known.count++;
    else this.#counts.set(key, { api, status, error, count: 1 });
  }

  addUnsigned(): void {
    this.#unsigned++;
  }

  summary(): RequestSummary {
    const counts = [...this.#counts.values()].map((count) => ({ ...count }));
    return { total: this.#total, counts, unsigned: this.#unsigned, recent: this.#recent.slice(-KEPT) };
  }
}
