/** Counts the progress of a run: what is done, what is running, and what it waits for. */

import { targetName } from '../targets/target.ts';
import { span } from './human-units.ts';
import { count } from './paragraphs.ts';

/** One planned table of one target. Compared by identity. */
export interface Drain {
  readonly table: string;
  readonly target: { readonly accountId: string; readonly region: string };
}

interface UnderWay {
  readonly since: number;
  pages: number;
}

/** Throttling counts as over after this time. */
const throttledForMs = 10_000;

export class RunProgress {
  /** Milliseconds; only differences count. */
  readonly #now: () => number;
  readonly #begun: number;
  #phase: { readonly what: string; readonly since: number } | null = null;
  readonly #drains = new Map<Drain, UnderWay>();
  /** Per target: planned drains that have not ended, and whether one has failed. */
  readonly #targets = new Map<string, { left: number; failed: boolean }>();
  readonly #throttledAt = new Map<string, number>();
  /** Keys of parts. */
  readonly publishing = new Set<string>();
  drainsPlanned = 0;
  drainsDone = 0;
  targetsDone = 0;
  targetsFailed = 0;
  pages = 0;
  rows = 0;
  parts = 0;
  partsDone = 0;
  /** What `verify` has read so far; null for other jobs. */
  checks: { readonly done: number; readonly of: number; readonly findings: number } | null = null;
  #checkingSince = 0;
  /** When the last drain ended; null while there are more. */
  readUntil: number | null = null;

  constructor(now: () => number) {
    this.#now = now;
    this.#begun = now();
  }

  get targetsPlanned(): number {
    return this.#targets.size;
  }

  get reading(): boolean {
    return this.drainsDone < this.drainsPlanned;
  }

  get pagesPerSecond(): number {
    const ms = (this.readUntil ?? this.#now()) - this.#begun;
    return ms > 0 ? Math.round((this.pages * 10_000) / ms) / 10 : 0;
  }

  phase(what: string): void {
    this.#phase = { what, since: this.#now() };
  }

  checked(done: number, of: number, findings: number): void {
    if (this.checks === null) this.#checkingSince = this.#now();
    this.checks = { done, of, findings };
  }

  /** How long the rest takes if it goes on as before; null: nobody knows yet. */
  checksLeftMs(): number | null {
    if (this.checks === null || this.checks.done === 0) return null;
    const { done, of } = this.checks;
    return ((this.#now() - this.#checkingSince) / done) * Math.max(0, of - done);
  }

  planned(drains: readonly Drain[]): void {
    this.#phase = null;
    this.drainsPlanned += drains.length;
    for (const drain of drains) {
      const target = this.#targets.get(targetName(drain.target));
      if (target) target.left += 1;
      else this.#targets.set(targetName(drain.target), { left: 1, failed: false });
    }
  }

  began(drain: Drain): void {
    this.#drains.set(drain, { since: this.#now(), pages: 0 });
  }

  page(drain: Drain, rows: number): void {
    this.pages += 1;
    this.rows += rows;
    const underWay = this.#drains.get(drain);
    if (underWay) underWay.pages += 1;
  }

  throttled(target: Drain['target']): void {
    this.#throttledAt.set(targetName(target), this.#now());
  }

  ended(drain: Drain, ok: boolean): void {
    this.#drains.delete(drain);
    this.drainsDone += 1;
    if (!this.reading) this.readUntil = this.#now();
    const target = this.#targets.get(targetName(drain.target));
    if (!target) return;
    target.left -= 1;
    if (target.left === 0) this.targetsDone += 1;
    if (ok || target.failed) return;
    target.failed = true;
    this.targetsFailed += 1;
  }

  /** A description of what the run waits for; '' if unknown. */
  waitingFor(): string {
    if (this.checks !== null) return this.#checksInWords(this.checks);
    if (this.#phase !== null) return `${this.#phase.what} (${span(this.#now() - this.#phase.since)})`;
    // The drain that began first has waited longest.
    const [longest] = this.#drains;
    if (longest !== undefined) return this.#drainInWords(...longest);
    const [key] = this.publishing;
    if (key === undefined) return '';
    return `publishing part ${Math.min(this.partsDone + 1, this.parts)} of ${this.parts}: ${key}`;
  }

  #checksInWords({ done, of, findings }: NonNullable<RunProgress['checks']>): string {
    const left = this.checksLeftMs();
    return [
      `read ${done.toLocaleString('en-US')} of ${count(of, 'object')}`,
      findings === 0 ? 'no damage so far' : count(findings, 'finding'),
      ...(left === null ? [] : [`${span(left)} left`]),
    ].join(' · ');
  }

  #drainInWords(drain: Drain, { since, pages }: UnderWay): string {
    const { accountId, region } = drain.target;
    const at = this.#throttledAt.get(targetName(drain.target));
    const throttled = at !== undefined && this.#now() - at < throttledForMs ? ' (throttled by AWS)' : '';
    const others = this.#drains.size === 1 ? '' : ` · ${this.#drains.size - 1} more`;
    const waited = span(this.#now() - since);
    return `waiting ${waited} for ${accountId} ${region} ${drain.table}${throttled}: ${count(pages, 'page')}${others}`;
  }
}
