/**
 * A level of concurrency that finds itself. It climbs in steps, and keeps a step only if it pays.
 *
 * Little's law says that pages per second are the level divided by the time for which a page is in the program: from the request
 * until its rows are staged. A step to twice the level that leaves pages as fast as before doubles the pages per second. If
 * they take twice as long, nothing was gained: they only wait longer, in AWS, in the network, or in this program because its
 * one thread is busy. Limiters such as Netflix's
 * concurrency-limits compare the same two quantities (github.com/Netflix/concurrency-limits). They never wait for a moment
 * without load, in which the fastest response could be measured; here each step is compared with the level below it.
 */

export interface LevelOptions {
  readonly first: number;
  readonly least: number;
  readonly ceiling: number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** False: this process has little memory left. */
  readonly memoryHolds: () => boolean;
  readonly onChange: (change: LevelChange) => void;
}

export interface LevelChange {
  readonly level: number;
  readonly was: number;
  /** `trial`: a step up, not yet known to pay. `kept` has the same level as before. */
  readonly why: 'trial' | 'kept' | 'no gain' | 'slower' | 'memory';
}

export interface ReleasedPage {
  /** Pages of one kind take about as long: one API, one region, about one size. */
  readonly kind: string;
  /** When its request began, by the clock of the level. */
  readonly begunAt: number;
  /** Pages that are asked for, on their way, or not staged yet, this one included. */
  readonly inUse: number;
}

/** A round has at least this many responses, takes at least this long, and has one response for each slot. */
const leastResponses = 16;
const leastRoundMs = 250;

/** A level says something only while it is in use. */
const usedShare = 0.8;

/** A step pays if at least this share of it becomes more requests per second. */
const worthwhileShare = 0.5;

/** Rounds until the next step, after one that did not pay: twice as many each time. */
const firstPatience = 8;
const longestPatience = 64;

/** When responses have become this many times as slow at one level, it is too high by now. */
const tooSlow = 2;
const backOffTo = 0.75;

export class ConcurrencyLevel {
  readonly #options: LevelOptions;
  #level: number;
  /** The level below a step that is being tried; null: none is. */
  #before: number | null = null;
  /** Until the first step that does not pay, steps double the level. */
  #doubling = true;
  #patience = firstPatience;
  #roundsToWait = 0;
  /** Means of ln(milliseconds) by kind: of the last round, and of the first one at this level. */
  #last = new Map<string, number>();
  #settled = new Map<string, number>();
  #round: Round;
  #crowded = false;
  readonly #span: { readonly from: number; since: number; area: number; highest: number };

  constructor(options: LevelOptions) {
    this.#options = options;
    this.#level = options.first;
    const now = options.now();
    this.#round = emptyRound(now);
    this.#span = { from: now, since: now, area: 0, highest: options.first };
  }

  get level(): number {
    return this.#level;
  }

  /** The highest level of the run, and its mean over time. */
  get history(): { readonly highest: number; readonly mean: number } {
    const { from, since, area, highest } = this.#span;
    const now = this.#options.now();
    const mean = now > from ? (area + this.#level * (now - since)) / (now - from) : this.#level;
    return { highest, mean };
  }

  /** A page had to wait for memory. */
  crowded(): void {
    this.#crowded = true;
  }

  /** A page has come, and its rows are staged. */
  released({ kind, begunAt, inUse }: ReleasedPage): void {
    const round = this.#round;
    // A request that was sent at another level says nothing about this one.
    if (begunAt < round.begun || inUse < this.#level * usedShare) return;
    const now = this.#options.now();
    const ofKind = round.kinds.get(kind) ?? { responses: 0, sum: 0 };
    ofKind.responses += 1;
    ofKind.sum += Math.log(Math.max(1, now - begunAt));
    round.kinds.set(kind, ofKind);
    round.responses += 1;
    const enough = Math.max(leastResponses, this.#level);
    if (round.responses >= enough && now - round.begun >= leastRoundMs) this.#endRound(round);
  }

  #endRound(round: Round): void {
    const means = new Map([...round.kinds].map(([kind, { sum, responses }]) => [kind, sum / responses]));
    const level = this.#level;
    const memoryIsShort = this.#crowded || !this.#options.memoryHolds();
    this.#crowded = false;
    if (memoryIsShort) this.#backOff('memory');
    else if (this.#before !== null) this.#judge(this.#before, slowdown(round, means, this.#last));
    else if ((slowdown(round, means, this.#settled) ?? 1) > tooSlow) this.#backOff('slower');
    else this.#roundsToWait -= 1;

    // What was measured at a level that was left again says nothing about the present one.
    if (this.#before === null && this.#level === level) {
      for (const [kind, mean] of means) {
        this.#last.set(kind, mean);
        if (!this.#settled.has(kind)) this.#settled.set(kind, mean);
      }
      if (!memoryIsShort && this.#roundsToWait <= 0 && this.#level < this.#options.ceiling) this.#stepUp();
    }
    this.#round = emptyRound(this.#options.now());
  }

  #stepUp(): void {
    const was = this.#level;
    this.#before = was;
    const step = this.#doubling ? was : Math.ceil(was / 4);
    this.#change(Math.min(this.#options.ceiling, was + step), 'trial');
  }

  /** @param slower how many times as long responses take as before the step; null: they cannot be compared */
  #judge(before: number, slower: number | null): void {
    this.#before = null;
    if (slower === null) {
      this.#roundsToWait = 1;
      this.#change(before, 'no gain');
      return;
    }
    const step = this.#level / before;
    if (step / slower >= 1 + (step - 1) * worthwhileShare) {
      this.#settled = new Map();
      this.#roundsToWait = 0;
      this.#options.onChange({ level: this.#level, was: before, why: 'kept' });
      return;
    }
    this.#doubling = false;
    this.#wait();
    this.#change(before, 'no gain');
  }

  #backOff(why: 'slower' | 'memory'): void {
    this.#before = null;
    this.#doubling = false;
    this.#settled = new Map();
    this.#wait();
    const lower = Math.max(this.#options.least, Math.floor(this.#level * backOffTo));
    if (lower < this.#level) this.#change(lower, why);
  }

  #wait(): void {
    this.#roundsToWait = this.#patience;
    this.#patience = Math.min(longestPatience, this.#patience * 2);
  }

  #change(level: number, why: LevelChange['why']): void {
    const was = this.#level;
    const now = this.#options.now();
    this.#span.area += was * (now - this.#span.since);
    this.#span.since = now;
    this.#span.highest = Math.max(this.#span.highest, level);
    this.#level = level;
    this.#options.onChange({ level, was, why });
  }
}

interface Round {
  readonly begun: number;
  responses: number;
  readonly kinds: Map<string, { responses: number; sum: number }>;
}

function emptyRound(begun: number): Round {
  return { begun, responses: 0, kinds: new Map() };
}

/**
 * How many times as long the responses of a round took as those of their kind before: the geometric mean. Null: fewer than
 * half of them are of a kind that was seen before.
 */
function slowdown(
  round: Round,
  means: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
): number | null {
  let compared = 0;
  let sum = 0;
  for (const [kind, { responses }] of round.kinds) {
    const [was, is] = [before.get(kind), means.get(kind)];
    if (was === undefined || is === undefined) continue;
    compared += responses;
    sum += (is - was) * responses;
  }
  return compared * 2 < round.responses ? null : Math.exp(sum / compared);
}
