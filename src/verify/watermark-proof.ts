/** Whether the coverage of the runs proves what the watermarks claim. */
import type { BeginFacts } from '../ledger/read-runs.ts';
import { type Watermark, watermarkName } from '../ledger/watermarks.ts';
import type { Row } from '../tables/table.ts';

/** An interval of creation time that a run proved. `from` is -Infinity if the run did not record how far AWS remembered. */
interface Proven {
  from: number;
  to: number;
}

/** The columns of the coverage that proofs are made of. */
export const proofColumns = ['status', 'window_from', 'window_to', 'as_of', 'remembered_from'] as const;

/** Merged intervals for each target: their number grows with the gaps, not with the runs. */
export class WatermarkProofs {
  readonly #proven = new Map<string, Proven[]>();
  /** The end of the latest drain without a lower bound. */
  readonly #fullAt = new Map<string, number>();
  /** The as-of of the latest good drain. */
  readonly #readAt = new Map<string, number>();

  /** Rows of `export_coverage`. */
  add(rows: readonly Row[]): void {
    for (const row of rows) {
      if (row.status !== 'OK' && row.status !== 'OK_EMPTY') continue;
      const name = watermarkName(String(row.table_name), String(row.account_id), String(row.region));
      const to = Number(row.window_to ?? row.as_of);
      this.#wasRead(name, Number(row.as_of));
      this.#add(name, timeOf(row.window_from), timeOf(row.remembered_from), to);
    }
  }

  /** A run whose coverage is damaged may have proven all that it planned. */
  addPlan(begin: BeginFacts): void {
    const asOf = Date.parse(begin.as_of);
    for (const { table, account_id: account, region, window_from: from, window_to: to } of begin.plan) {
      const start = from === null ? null : Date.parse(from);
      this.#wasRead(watermarkName(table, account, region), asOf);
      this.#add(watermarkName(table, account, region), start, null, to === null ? asOf : Date.parse(to));
    }
  }

  #wasRead(name: string, asOf: number): void {
    this.#readAt.set(name, Math.max(asOf, this.#readAt.get(name) ?? asOf));
  }

  #add(name: string, windowFrom: number | null, rememberedFrom: number | null, to: number): void {
    const from = windowFrom ?? Math.min(rememberedFrom ?? Number.NEGATIVE_INFINITY, to);
    if (windowFrom === null) this.#fullAt.set(name, Math.max(to, this.#fullAt.get(name) ?? to));
    const merged: Proven = { from, to };
    const apart: Proven[] = [];
    for (const one of this.#proven.get(name) ?? []) {
      if (one.to < merged.from || one.from > merged.to) apart.push(one);
      else {
        merged.from = Math.min(merged.from, one.from);
        merged.to = Math.max(merged.to, one.to);
      }
    }
    this.#proven.set(name, [...apart, merged]);
  }

  /** What the watermark claims and no run proved; null: all is proven. */
  unproven(name: string, { coveredFrom, coveredTo, fullAt, openReadAt }: Watermark): string | null {
    const proven = this.#proven.get(name) ?? [];
    const holds = proven.some(({ from, to }) => from <= (coveredFrom ?? coveredTo) && coveredTo <= to);
    if (!holds) {
      const from = coveredFrom === null ? '' : `from ${iso(coveredFrom)} `;
      const latest = Math.max(...proven.map(({ to }) => to));
      const told =
        proven.length === 0 ? 'no coverage proves any' : `the coverage proves ${provenText(proven, latest)}`;
      return `it claims ${name} ${from}to ${iso(coveredTo)}, and ${told}`;
    }
    if (fullAt !== null && fullAt > (this.#fullAt.get(name) ?? Number.NEGATIVE_INFINITY)) {
      return `it claims that ${name} was read whole at ${iso(fullAt)}, and no coverage says so`;
    }
    if (openReadAt !== null && openReadAt > (this.#readAt.get(name) ?? Number.NEGATIVE_INFINITY)) {
      return `it claims that the unfinished jobs of ${name} were read at ${iso(openReadAt)}, and no coverage says so`;
    }
    return null;
  }
}

function provenText(proven: readonly Proven[], latest: number): string {
  if (proven.length > 1) return `${proven.length} intervals, the last up to ${iso(latest)}`;
  const [{ from, to } = { from: 0, to: 0 }] = proven;
  return Number.isFinite(from) ? `${iso(from)} to ${iso(to)}` : `up to ${iso(to)}`;
}

function timeOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
