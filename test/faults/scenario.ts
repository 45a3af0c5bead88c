/** A named history: what is hurt in which night, how the program may end, and what it must or must not say. */
import type { Cause } from './blame.ts';
import type { Hurt } from './hurts.ts';
import type { Damage } from './lake-check.ts';
import type { Draws } from './seeded.ts';
import type { RunOptions, World, WorldOptions } from './world.ts';

/** When something is done to a run that is under way. */
export interface Moment {
  /** At the nth request or connection of this API. */
  readonly api: string;
  readonly nth: number;
}

export interface Night {
  /** Done before the run: damage, repair, time that passes. */
  readonly before?: (world: World) => Promise<void>;
  readonly hurts?: readonly Hurt[];
  /** A fault of the simulator's own making, such as throttling at a rate. */
  readonly faults?: Parameters<World['simulator']['addFaults']>[0];
  readonly run?: RunOptions | ((world: World) => RunOptions);
  /** Default: 60. */
  readonly deadlineSeconds?: number;
  readonly signal?: { readonly send: NodeJS.Signals; readonly at: Moment };
  /** The exit codes that are right. */
  readonly codes: readonly number[];
  /** Statuses that the coverage must have, and those that it must not have. */
  readonly statuses?: { readonly some?: readonly string[]; readonly none?: readonly string[] };
  /** Each must stand somewhere in what a person reads; none of the second list may. */
  readonly says?: readonly RegExp[];
  readonly never?: readonly RegExp[];
  /** Sentences that may be held against a person all the same. */
  readonly allowed?: readonly RegExp[];
  readonly damage?: Damage;
  /** Every job that AWS shows has to be in the lake after it, whatever the coverage says. */
  readonly keepsAll?: boolean;
  /** Something else stops it than `signal`. */
  readonly stopped?: boolean;
  /** What else does not hold after it. */
  readonly after?: (world: World) => Promise<readonly string[]>;
  /** The run must have met at least one of the hurts; default true where there are any. */
  readonly meets?: boolean;
}

export interface Scenario {
  readonly name: string;
  /** What kind of trouble it belongs to: a heading of the report. */
  readonly kind: string;
  readonly cause: Cause;
  readonly lake: WorldOptions['lake'];
  readonly way: WorldOptions['way'];
  readonly simulator?: WorldOptions['simulator'];
  /** Belongs to the short set. */
  readonly quick?: boolean;
  /** Default true: a good run a day before, so that there is something to lose. */
  readonly primed?: boolean;
  /** Its good run a day before goes through its own proxy, which has to have seen that run's answers. */
  readonly ownFirstRun?: true;
  /** The options of the good runs before and after. */
  readonly good?: RunOptions | ((world: World) => RunOptions);
  /** The accounts that it reads; default: all. */
  readonly accounts?: (world: World) => readonly string[];
  readonly nights: (draws: Draws, world: World) => readonly Night[];
  /** Mends what a person damaged, before the good runs at the end. */
  readonly mend?: (world: World) => Promise<void>;
  /** What stays in the lake for good. */
  readonly left?: Damage;
}
