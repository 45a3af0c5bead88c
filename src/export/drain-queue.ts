/** The order in which a run drains: what has waited longest comes first, and regions that do not answer come last. */
import type { Planned } from '../ledger/planned.ts';
import type { DrainStatus } from '../source/source.ts';

/** After this many drains without a single page from its region, a region counts as not answering. */
const triesOfRegion = 3;

/** A role that STS is slow to give must not hold up the drains behind it: then that drain waits in its place. */
const mostPassedOver = 64;

/** Drains of one table that were read equally far. */
interface WaitingDrains {
  readonly time: number;
  /** Lower ones come first. */
  readonly rank: number;
  readonly drains: Planned[];
  given: number;
  /** How many others went before the next one. */
  passedOver: number;
}

/**
 * Gives out each planned drain once. A drain that one night skipped has the oldest watermark, so it comes early in the
 * next; of equal ones copy jobs come before counts, so that their parts can be
 * made while counts are read; the rest keep the order of the plan. While the next drain would wait for STS, the next one of another
 * table goes first, or one that was read less long ago, if it could begin; but not more than 64 times. Drains may be added while others are given out. A region that cannot be
 * reached would then come first for ever, and hold a slot for each of its targets, so after a few tries the rest of it
 * waits behind all other drains.
 */
export class DrainQueue {
  /** Those that come first are first. */
  readonly #waiting: WaitingDrains[] = [];
  /** The same by time and rank. */
  readonly #known = new Map<string, WaitingDrains>();
  /** Drains of silent regions. */
  readonly #behind: Planned[] = [];
  readonly #answering = new Set<string>();
  readonly #unanswered = new Map<string, number>();
  readonly #canBegin: (drain: Planned) => boolean;
  #complete = false;
  #changed = Promise.withResolvers<void>();

  /**
   * @param planned all drains; without them, they are added until the queue is complete
   * @param canBegin false: the drain would wait for STS. Default: none would
   */
  constructor(planned?: readonly Planned[], canBegin: (drain: Planned) => boolean = () => true) {
    this.#canBegin = canBegin;
    if (planned === undefined) return;
    this.add(planned);
    this.complete();
  }

  add(planned: readonly Planned[]): void {
    for (const one of planned) {
      const time = one.coveredTo ?? Number.NEGATIVE_INFINITY;
      const rank = one.table === 'copy_jobs' ? 0 : 1;
      const known = this.#known.get(nameOf({ time, rank }));
      if (known === undefined) this.#addWaitingDrains({ time, rank, drains: [one], given: 0, passedOver: 0 });
      else known.drains.push(one);
    }
    this.#tell();
  }

  /** No more are added. */
  complete(): void {
    this.#complete = true;
    this.#tell();
  }

  /** Undefined when none is left. Waits while more may come. */
  async nextWhenThere(): Promise<Planned | undefined> {
    for (;;) {
      const changed = this.#changed.promise;
      const next = this.next();
      if (next !== undefined || this.#complete) return next;
      await changed;
    }
  }

  /** Undefined when none is left for now. */
  next(): Planned | undefined {
    for (let one = this.#longestWaiting(); one !== undefined; one = this.#longestWaiting()) {
      if (!this.#isSilent(one.target.region)) return one;
      this.#behind.push(one);
    }
    return this.#complete ? this.#behind.shift() : undefined;
  }

  /** A page came from this region, so it can be read. Drains that were put behind stay there. */
  answered(region: string): void {
    this.#answering.add(region);
  }

  /** A drain has ended. True if the rest of its region now waits behind all others. */
  ended(region: string, status: DrainStatus): boolean {
    if (this.#answering.has(region) || !isSilence(status)) return false;
    const tries = (this.#unanswered.get(region) ?? 0) + 1;
    this.#unanswered.set(region, tries);
    return tries === triesOfRegion;
  }

  #longestWaiting(): Planned | undefined {
    const able = this.#waiting.findIndex(({ drains, given, passedOver }) => {
      const next = drains[given];
      return next !== undefined && (passedOver >= mostPassedOver || this.#canBegin(next));
    });
    const place = Math.max(0, able);
    for (const before of this.#waiting.slice(0, place)) before.passedOver += 1;
    const from = this.#waiting[place];
    if (from === undefined) return undefined;
    const one = from.drains[from.given];
    from.given += 1;
    from.passedOver = 0;
    if (from.given === from.drains.length) {
      this.#known.delete(nameOf(from));
      this.#waiting.splice(place, 1);
    }
    return one;
  }

  #addWaitingDrains(added: WaitingDrains): void {
    this.#known.set(nameOf(added), added);
    const later = this.#waiting.findIndex(
      ({ time, rank }) => time > added.time || (time === added.time && rank > added.rank),
    );
    this.#waiting.splice(later < 0 ? this.#waiting.length : later, 0, added);
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #isSilent(region: string): boolean {
    return !this.#answering.has(region) && (this.#unanswered.get(region) ?? 0) >= triesOfRegion;
  }
}

function nameOf({ time, rank }: Pick<WaitingDrains, 'time' | 'rank'>): string {
  return `${time} ${rank}`;
}

/** True if a drain ended like this because nothing answered in time. */
function isSilence(status: DrainStatus): boolean {
  return status === 'TIMED_OUT' || status === 'UNREACHABLE';
}
