/** In which order a run drains: what has waited longest first, and regions that do not answer last. */
import type { Planned } from '../ledger/planned.ts';
import type { DrainStatus } from '../source/source.ts';

/** After so many drains without one page from anybody there, a region is taken not to answer. */
const triesOfRegion = 3;

/**
 * Gives out each planned drain once. What a night skipped has the oldest watermark, and comes early in the next; among
 * equals the plan's order holds. A region without a way to it would then come first for ever and hold a slot for each
 * of its targets: after a few tries the rest of it waits behind all others.
 */
export class DrainQueue {
  readonly #order: Iterator<Planned, undefined>;
  readonly #answering = new Set<string>();
  readonly #unanswered = new Map<string, number>();

  constructor(planned: readonly Planned[]) {
    this.#order = this.#inOrder([...planned].sort(longestWaitingFirst));
  }

  /** Undefined when all have been given out. */
  next(): Planned | undefined {
    return this.#order.next().value;
  }

  /** A page came from this region: somebody can be read there. What was put behind before stays there. */
  answered(region: string): void {
    this.#answering.add(region);
  }

  /** A drain has ended. True for the one after which the rest of its region waits behind all others. */
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

/** Whether a drain ended so because nobody answered in its time. */
function isSilence(status: DrainStatus): boolean {
  return status === 'TIMED_OUT' || status === 'UNREACHABLE';
}
