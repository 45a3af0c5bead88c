/** The counts of ListCopyJobSummaries, computed from the same jobs. */

import type { Estate, Site } from './estate.ts';
import type { Jobs } from './jobs.ts';
import { Random } from './random.ts';
import { facetsOf } from './records.ts';
import { DAY } from './simulated-clock.ts';
import { LAG } from './timelines.ts';

export const periods = ['ONE_DAY', 'SEVEN_DAYS', 'FOURTEEN_DAYS'] as const;
export type Period = (typeof periods)[number];

/** How many days each period's counts reach back, including today. */
const reach: Readonly<Record<Period, number>> = { ONE_DAY: 14, SEVEN_DAYS: 7, FOURTEEN_DAYS: 14 };

export interface CopyJobSummaryRecord {
  Region: string;
  AccountId: string;
  State: string;
  ResourceType: string;
  MessageCategory?: string;
  Count: number;
  /** Epoch seconds: a UTC midnight. */
  StartTime: number;
  EndTime: number;
}

/** A window of time whose counts are replaced together, in days since the epoch. */
export interface Slice {
  readonly fromDay: number;
  readonly toDay: number;
}

/** The windows of a period at a point in time, oldest first: one per day, or a single one. */
export function slicesAt(period: Period, now: number): readonly Slice[] {
  const today = Math.floor(now / DAY);
  const days = reach[period];
  if (period !== 'ONE_DAY') return [{ fromDay: today - days + 1, toDay: today + 1 }];
  return Array.from({ length: days }, (_, index) => {
    const day = today - days + 1 + index;
    return { fromDay: day, toDay: day + 1 };
  });
}

/** The time from which a day's counts are no longer returned. */
export function dayForgotten(day: number): number {
  return (day + reach.ONE_DAY) * DAY;
}

export class Summaries {
  readonly #estate: Estate;
  readonly #jobs: Jobs;
  readonly #random = new Random();

  constructor(estate: Estate, jobs: Jobs) {
    this.#estate = estate;
    this.#jobs = jobs;
  }

  /** The counts of a slice at a point in time, by state, type and category, in a fixed order. */
  counts(site: Site, slice: Slice, now: number): readonly CopyJobSummaryRecord[] {
    const from = slice.fromDay * DAY;
    const to = slice.toDay * DAY;
    const counts = new Map<string, CopyJobSummaryRecord>();
    for (let day = Math.floor((from - LAG) / DAY); day < slice.toDay; day++) {
      if (day * DAY > now) break;
      for (const group of this.#jobs.groups(site, day)) {
        for (const job of group) {
          if (job.created < from || job.created >= to || job.created >= now) continue;
          const { state, type, category } = facetsOf(
            this.#estate,
            this.#random,
            job,
            now,
            this.#jobs.newerFields,
          );
          const key = `${state}\n${type}\n${category ?? ''}`;
          const known = counts.get(key);
          if (known) known.Count++;
          else {
            counts.set(key, {
              Region: site.region,
              AccountId: site.account.id,
              State: state,
              ResourceType: type,
              ...(category === null ? {} : { MessageCategory: category }),
              Count: 1,
              StartTime: from / 1000,
              EndTime: to / 1000,
            });
          }
        }
      }
    }
    return [...counts.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => record);
  }
}

/** For each dimension: `ANY` keeps values apart, `AGGREGATE_ALL` adds them up, anything else selects one value. */
export interface SummaryFilter {
  readonly state: string;
  readonly resourceType: string;
  readonly messageCategory: string;
  /** Whether to add up accounts too. */
  readonly aggregateAccounts: boolean;
}

export function filterCounts(
  records: Iterable<CopyJobSummaryRecord>,
  filter: SummaryFilter,
): readonly CopyJobSummaryRecord[] {
  const merged = new Map<string, CopyJobSummaryRecord>();
  for (const record of records) {
    const state = choose(filter.state, record.State);
    const type = choose(filter.resourceType, record.ResourceType);
    const category = choose(filter.messageCategory, record.MessageCategory ?? null);
    if (state === undefined || type === undefined || category === undefined) continue;
    const account = filter.aggregateAccounts ? 'AGGREGATE_ALL' : record.AccountId;
    const key = [record.StartTime, account, state, type, category ?? ''].join('\n');
    const known = merged.get(key);
    if (known) known.Count += record.Count;
    else {
      merged.set(key, {
        Region: record.Region,
        AccountId: account,
        State: state ?? '',
        ResourceType: type ?? '',
        ...(category === null ? {} : { MessageCategory: category }),
        Count: record.Count,
        StartTime: record.StartTime,
        EndTime: record.EndTime,
      });
    }
  }
  return [...merged.values()];
}

/** How a value is shown; undefined if the filter excludes it. */
function choose(wanted: string, value: string | null): string | null | undefined {
  if (wanted === 'ANY') return value;
  if (wanted === 'AGGREGATE_ALL') return wanted;
  return wanted === value ? value : undefined;
}
