/** Lists the copy jobs of a site at a point in time, newest first, from any position. */

import type { Estate, Site } from './estate.ts';
import { jobIdOf, placeOfId } from './job-ids.ts';
import { Random } from './random.ts';
import { type CopyJobRecord, newerFieldsSince, recordOf } from './records.ts';
import { DAY } from './simulated-clock.ts';
import { isRemembered, type Job, jobGroupAt, LAG, MEMORY, slotsOf, slotTime } from './timelines.ts';

/** Where a listing continues: the first job that has not been returned. */
export interface Position {
  readonly day: number;
  /** 0: the site's own jobs; n: jobs that the n-th of its sources copies to it. */
  readonly source: number;
  readonly slot: number;
  readonly member: number;
}

/**
 * The filters of ListCopyJobs. AWS does not document whether its time filters are inclusive; here `…After` is inclusive
 * and `…Before` is exclusive.
 */
export interface JobFilter {
  readonly resourceArn?: string;
  readonly state?: string;
  readonly createdAfter?: number;
  readonly createdBefore?: number;
  readonly resourceType?: string;
  readonly destinationVaultArn?: string;
  readonly accountId?: string;
  readonly completeAfter?: number;
  readonly completeBefore?: number;
  readonly parentJobId?: string;
  readonly messageCategory?: string;
  readonly sourceRecoveryPointArn?: string;
}

export interface Page {
  readonly records: readonly CopyJobRecord[];
  readonly next: Position | null;
}

export interface JobsOptions {
  /** The time when the simulator started, and its days of history at that time. */
  readonly start: number;
  readonly days: number;
  readonly children: 'listed' | 'hidden';
  readonly listInDestination: boolean;
}

export class Jobs {
  readonly #estate: Estate;
  readonly #options: JobsOptions;
  readonly #random = new Random();
  readonly #newerFields: number;
  /** No job was created before this time. */
  readonly historyStart: number;

  constructor(estate: Estate, options: JobsOptions) {
    this.#estate = estate;
    this.#options = options;
    this.#newerFields = newerFieldsSince(options.start, options.days);
    this.historyStart = options.start - options.days * DAY;
  }

  get newerFields(): number {
    return this.#newerFields;
  }

  /** Up to `max` records of a site from a position, and the position of the next one. */
  page(site: Site, now: number, filter: JobFilter, from: Position | null, max: number): Page {
    const records: CopyJobRecord[] = [];
    for (const { job, source } of this.#walk(site, now, filter, from)) {
      if (!mayMatch(job, filter)) continue;
      const record = this.record(job, now);
      if (!matches(record, filter)) continue;
      if (records.length === max) {
        return { records, next: { day: job.day, source, slot: job.slot, member: job.member } };
      }
      records.push(record);
    }
    return { records, next: null };
  }

  record(job: Job, now: number): CopyJobRecord {
    return recordOf(this.#estate, this.#random, job, now, this.#newerFields);
  }

  /** The job groups of one day of a site, latest first, without groups from before the history began. */
  *groups(site: Site, day: number, lastSlot = Number.POSITIVE_INFINITY): Generator<readonly Job[]> {
    const slots = slotsOf(this.#estate, this.#random, site, day);
    for (let slot = Math.min(slots - 1, lastSlot); slot >= 0; slot--) {
      const group = jobGroupAt(this.#estate, this.#random, site, day, slot, slots);
      if ((group[0]?.created ?? 0) < this.historyStart) return;
      yield group;
    }
  }

  /** Whether a site is the destination of another account's job, and so may list it. */
  goesTo(job: Job, site: Site): boolean {
    const { accountIndex, regionIndex } = job.destination;
    return (
      accountIndex === site.accountIndex &&
      regionIndex === site.regionIndex &&
      job.site.accountIndex !== site.accountIndex
    );
  }

  *#walk(
    site: Site,
    now: number,
    filter: JobFilter,
    from: Position | null,
  ): Generator<{ job: Job; source: number }> {
    const { parentJobId } = filter;
    const sites = this.#options.listInDestination ? [site, ...this.#estate.sourcesOf(site)] : [site];
    const parent = parentJobId === undefined ? null : placeOfId(this.#estate, this.#random, parentJobId);
    if (parentJobId !== undefined && parent === null) return;
    const after = Math.max(filter.createdAfter ?? 0, this.historyStart, now - MEMORY - LAG);
    const before = Math.min(filter.createdBefore ?? now, now);
    const newest = parent?.day ?? Math.floor(before / DAY);
    const oldest = parent?.day ?? Math.floor((after - LAG) / DAY);
    for (let day = Math.min(from?.day ?? newest, newest); day >= oldest; day--) {
      const atDay = from !== null && from.day === day ? from : null;
      for (let source = atDay?.source ?? 0; source < sites.length; source++) {
        const owner = sites[source];
        if (!owner) continue;
        const at = atDay?.source === source ? atDay : null;
        for (const jobs of this.#slots(owner, day, at, parent?.slot ?? null, after, before)) {
          if (source > 0 && jobs[0] !== undefined && !this.goesTo(jobs[0], site)) continue;
          for (const job of jobs) {
            if (at !== null && job.slot === at.slot && job.member < at.member) continue;
            if (!isRemembered(job, now)) continue;
            if (job.member > 0 && this.#options.children === 'hidden' && parent === null) continue;
            if (parent !== null && !this.#isChildOf(job, parentJobId)) continue;
            yield { job, source };
          }
        }
      }
    }
  }

  /** The job groups of one day of one site that may contain a job created in `[after, before)`. */
  *#slots(
    site: Site,
    day: number,
    at: Position | null,
    only: number | null,
    after: number,
    before: number,
  ): Generator<readonly Job[]> {
    const slots = slotsOf(this.#estate, this.#random, site, day);
    const first = Math.min(only ?? slots - 1, at?.slot ?? Number.POSITIVE_INFINITY, slots - 1);
    for (let slot = first; slot >= (only ?? 0); slot--) {
      const time = slotTime(this.#estate, this.#random, site, day, slot, slots);
      if (time >= before) continue;
      if (time + LAG < after || time < this.historyStart) return;
      yield jobGroupAt(this.#estate, this.#random, site, day, slot, slots);
    }
  }

  #isChildOf(job: Job, parentJobId: string | undefined): boolean {
    return job.member > 0 && jobIdOf(this.#estate, this.#random, { ...job, member: 0 }) === parentJobId;
  }
}

/** The checks of a filter that need no record. */
function mayMatch(job: Job, filter: JobFilter): boolean {
  return (
    (filter.createdAfter === undefined || job.created >= filter.createdAfter) &&
    (filter.createdBefore === undefined || job.created < filter.createdBefore) &&
    (filter.completeAfter === undefined || job.ended >= filter.completeAfter) &&
    (filter.completeBefore === undefined || job.ended < filter.completeBefore)
  );
}

function matches(record: CopyJobRecord, filter: JobFilter): boolean {
  const asksForCompletion = filter.completeAfter !== undefined || filter.completeBefore !== undefined;
  return (
    (!asksForCompletion || record.CompletionDate !== undefined) &&
    isOrAny(filter.resourceArn, record.ResourceArn) &&
    isOrAny(filter.state, record.State) &&
    isOrAny(filter.resourceType, record.ResourceType) &&
    isOrAny(filter.destinationVaultArn, record.DestinationBackupVaultArn) &&
    isOrAny(filter.accountId, record.AccountId) &&
    isOrAny(filter.messageCategory, record.MessageCategory) &&
    isOrAny(filter.sourceRecoveryPointArn, record.SourceRecoveryPointArn)
  );
}

function isOrAny(wanted: string | undefined, value: string | undefined): boolean {
  return wanted === undefined || wanted === '*' || wanted === value;
}
