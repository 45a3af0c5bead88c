/** Questions to Trino over its HTTP protocol (trino.io/docs/435/develop/client-protocol.html). */
import { setTimeout as wait } from 'node:timers/promises';

export type TrinoValue = string | number | boolean | null;

export interface Answer {
  readonly queryId: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly TrinoValue[])[];
}

/** What Trino itself says that a query read, from its storage. */
export interface ReadStatistics {
  readonly physicalInputBytes: number;
  readonly physicalInputRows: number;
}

interface Page {
  readonly id: string;
  readonly nextUri?: string;
  readonly columns?: Answer['columns'];
  readonly data?: Answer['rows'];
  readonly error?: Failed['error'];
}

interface Failed {
  readonly error: { readonly message: string; readonly errorName: string };
}

/** Without this, types of timestamps come without their precision. */
const capabilities = 'PARAMETRIC_DATETIME';
/** Not UTC, and with an offset that is no whole number of hours. */
const sessionZone = 'Asia/Kathmandu';

export class Trino {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Resolves when queries are answered. */
  async ready(deadline: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.query('SELECT count(*) FROM system.runtime.nodes HAVING count(*) > 0');
        return;
      } catch (error) {
        if (deadline.aborted) throw error;
        await wait(250);
      }
    }
  }

  /** @param schema of the catalog `lake`, for bare names */
  async query(sql: string, schema = 'default'): Promise<Answer> {
    for (let tries = 100; ; tries -= 1) {
      const answer = await this.#ask(sql, schema);
      if (!('error' in answer)) return answer;
      const { errorName, message } = answer.error;
      // A server that has just started does not yet know that it may work for every catalog.
      if (errorName !== 'NO_NODES_AVAILABLE' || tries === 0) {
        throw new Error(`${errorName}: ${message}\n${sql.slice(0, 2000)}`);
      }
      await wait(250);
    }
  }

  async #ask(sql: string, schema: string): Promise<Answer | Failed> {
    const headers = {
      'X-Trino-Catalog': 'lake',
      'X-Trino-Schema': schema,
      'X-Trino-Time-Zone': sessionZone,
      'X-Trino-Client-Capabilities': capabilities,
    };
    let page = await this.#page('/v1/statement', { method: 'POST', body: sql, headers });
    let columns: Answer['columns'] = [];
    const rows: (readonly TrinoValue[])[] = [];
    for (;;) {
      if (page.error) return { error: page.error };
      if (page.columns) columns = page.columns;
      for (const row of page.data ?? []) rows.push(row);
      if (page.nextUri === undefined) return { queryId: page.id, columns, rows };
      page = await this.#page(page.nextUri, {});
    }
  }

  async statistics({ queryId }: Answer): Promise<ReadStatistics> {
    const response = await this.#fetch(`/v1/query/${queryId}`, {});
    // Safe: the fields of Trino's QueryStats; a missing one is not a number, and no test can pass with it.
    const { queryStats } = (await response.json()) as {
      queryStats: { physicalInputDataSize: string; physicalInputPositions: number };
    };
    return {
      physicalInputBytes: bytesOf(queryStats.physicalInputDataSize),
      physicalInputRows: queryStats.physicalInputPositions,
    };
  }

  async #page(path: string, request: RequestInit): Promise<Page> {
    // Safe: Trino's QueryResults; what is used of it is listed in Page.
    return (await (await this.#fetch(path, request)).json()) as Page;
  }

  async #fetch(path: string, request: RequestInit): Promise<Response> {
    const headers = new Headers(request.headers);
    headers.set('X-Trino-User', 'peer');
    const response = await fetch(new URL(path, this.#url), { ...request, headers });
    if (!response.ok) throw new Error(`Trino answers ${response.status}: ${await response.text()}`);
    return response;
  }
}

/** Trino writes sizes as `123B`; as `1.20kB` and so on only where it rounds. */
function bytesOf(size: string): number {
  const exact = /^(\d+)B$/.exec(size)?.[1];
  if (exact === undefined) throw new Error(`Trino gives a size that is not exact: ${size}`);
  return Number(exact);
}
