/** The order in which a run drains: what has waited longest comes first, and regions that do not answer come last. */
import type { Planned } from '../ledger/planned.ts';
import type { DrainStatus } from '../source/source.ts';

/** After this many drains without a single page from its region, a region counts as not answering. */
const triesOfRegion = 3;

/**
 * Gives out each planned drain once. A drain that one night skipped has the oldest watermark, so it comes early in the
 * next; equal ones keep the order of the plan. A region that cannot be reached would then come first for ever, and hold a
 * slot for each of its targets, so after a few tries the rest of it waits behind all other drains.
 */
export class DrainQueue {
  readonly #order: Iterator<Planned, undefined>;
  readonly #answering = new Set<string>();
  readonly #unanswered = new Map<string, number>();

  constructor(planned: readonly Planned[]) {
    this.#order = this.#inOrder([...planned].sort(longestWaitingFirst));
  }

  /** Undefined when none is left. */
  next(): Planned | undefined {
    return this.#order.next().value;
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

  *#inOrder(planned: readonly Planned[]): Generator<Planned, undefined> {
    const behind: Planned[] = [];
    for (const one of planned) {
      if (this.#isSilent(one.target.region)) behind.push(one);
      else yield one;
    }
    yield* behind;
  }

  #isSilent(region: string): boolean {
    return !this.#answering.has(region) && (this.#unanswered.get(region) ?? 0) >= triesOfRegion;
  }
}

function longestWaitingFirst(a: Planned, b: Planned): number {
  return (a.coveredTo ?? Number.NEGATIVE_INFINITY) < (b.coveredTo ?? Number.NEGATIVE_INFINITY)
    ? -1
    : Number(a.coveredTo !== b.coveredTo);
}

/** True if a drain ended like this because nothing answered in time. */
function isSilence(status: DrainStatus): boolean {
  return status === 'TIMED_OUT' || status === 'UNREACHABLE';
}
