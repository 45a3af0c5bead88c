/**
 * The truth: what complete drains at every time of the simulated clock would have returned, each record as last served.
 * One block per day, oldest first: its jobs, its daily counts, and the longer counts read on that day.
 */

import type { Estate, Site } from './estate.ts';
import type { Jobs } from './jobs.ts';
import type { CopyJobRecord } from './records.ts';
import type { Clock } from './simulated-clock.ts';
import { DAY } from './simulated-clock.ts';
import {
  type CopyJobSummaryRecord,
  dayForgotten,
  type Period,
  periods,
  type Summaries,
  slicesAt,
} from './summaries.ts';
import { type Job, LAG, LONGEST } from './timelines.ts';

export type TruthLine =
  | {
      readonly table: 'copy_jobs';
      readonly region: string;
      readonly account_id: string;
      readonly record: CopyJobRecord;
    }
  | {
      readonly table: 'copy_job_summaries';
      readonly region: string;
      readonly account_id: string;
      readonly aggregation_period: Period;
      readonly record: CopyJobSummaryRecord;
    };

export class Truth {
  readonly #estate: Estate;
  readonly #jobs: Jobs;
  readonly #summaries: Summaries;
  readonly #clock: Clock;
  readonly #listInDestination: boolean;

  constructor(estate: Estate, jobs: Jobs, summaries: Summaries, clock: Clock, listInDestination: boolean) {
    this.#estate = estate;
    this.#jobs = jobs;
    this.#summaries = summaries;
    this.#clock = clock;
    this.#listInDestination = listInDestination;
  }

  /** The days with a block, in days since the epoch; `end` is exclusive. */
  get days(): { readonly first: number; readonly end: number } {
    return {
      first: Math.floor(this.#jobs.historyStart / DAY) - 1,
      end: Math.floor(this.#clock.now / DAY) + 1,
    };
  }

  /** Whether a day's block can no longer change, because every job that ever ends has ended. */
  isFinal(day: number): boolean {
    return this.#clock.now >= (day + 1) * DAY + LAG + LONGEST;
  }

  *block(day: number, site: Site): Generator<TruthLine> {
    const { account, region } = site;
    for (const group of this.#jobs.groups(site, day)) {
      for (const job of group) {
        const record = this.#lastServed(job);
        if (record === null) continue;
        yield { table: 'copy_jobs', region, account_id: account.id, record };
        const other = this.#alsoListedAt(job);
        if (other) yield { table: 'copy_jobs', region: other.region, account_id: other.account.id, record };
      }
    }
    for (const period of periods) {
      const seen = this.#clock.lastBefore(period === 'ONE_DAY' ? dayForgotten(day) : (day + 1) * DAY);
      if (seen === null || seen < day * DAY) continue;
      const slices = period === 'ONE_DAY' ? [{ fromDay: day, toDay: day + 1 }] : slicesAt(period, seen);
      for (const slice of slices) {
        for (const record of this.#summaries.counts(site, slice, seen)) {
          yield {
            table: 'copy_job_summaries',
            region,
            account_id: account.id,
            aggregation_period: period,
            record,
          };
        }
      }
    }
  }

  *lines(): Generator<TruthLine> {
    const { first, end } = this.days;
    for (let day = first; day < end; day++) {
      for (const site of this.#estate.sites) yield* this.block(day, site);
    }
  }

  get sites(): readonly Site[] {
    return this.#estate.sites;
  }

  #lastServed(job: Job): CopyJobRecord | null {
    const seen = this.#clock.lastBefore(job.forgotten);
    return seen === null || seen <= job.created ? null : this.#jobs.record(job, seen);
  }

  #alsoListedAt(job: Job): Site | null {
    const { accountIndex, regionIndex } = job.destination;
    if (!this.#listInDestination || accountIndex === null || regionIndex === null) return null;
    const site = this.#estate.siteAt(accountIndex, regionIndex);
    return site !== null && this.#jobs.goesTo(job, site) ? site : null;
  }
}
