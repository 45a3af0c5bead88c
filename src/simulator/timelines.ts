/**
 * When copy jobs are created, run and end: pure functions of (seed, site, day, slot), so that any
 * day of any site can be made without any other. A slot holds a single job, or a composite with its children.
 */

import { compositeShare, type Estate, type Site } from './estate.ts';
import type { Random } from './random.ts';
import { DAY, HOUR, SECOND } from './simulated-clock.ts';

export type Outcome = 'COMPLETED' | 'FAILED' | 'PARTIAL';
export type State = Outcome | 'CREATED' | 'RUNNING';

/** Where a group's copies go. A null index: an account, or a region, that the simulator does not know. */
export interface Destination {
  readonly accountIndex: number | null;
  readonly regionIndex: number | null;
  readonly vault: 'ordinary' | 'locked' | 'air-gapped';
}

export interface Job {
  readonly site: Site;
  /** Days since the epoch; the slot's day: a child may be created after midnight. */
  readonly day: number;
  readonly slot: number;
  /** 0: a single job or a parent; 1 and more: a child. */
  readonly member: number;
  /** Milliseconds since the epoch; `ended` is Infinity for a job that never ends. */
  readonly created: number;
  readonly started: number;
  readonly ended: number;
  readonly outcome: Outcome;
  /** When AWS forgets it: 30 days after it was created; a child goes with its parent. */
  readonly forgotten: number;
  /** Of a parent. */
  readonly children: readonly Job[];
  readonly destination: Destination;
}

/** How long AWS Backup remembers a job. */
export const MEMORY = 30 * DAY;
/** A child is created at most this long after its slot's day has ended. */
export const LAG = 2 * HOUR + 10 * SECOND;
/** A job that ends at all has ended at most this long after its slot's day has ended. */
export const LONGEST = 7 * DAY;

/** How many slots a site has on a day. */
export function slotsOf(estate: Estate, random: Random, site: Site, day: number): number {
  return random.key(estate.seed, 5, site.index, day, 0, 0).poisson(site.meanGroups);
}

/** When a slot's first job is created. Ascending with the slot. */
export function slotTime(
  estate: Estate,
  random: Random,
  site: Site,
  day: number,
  slot: number,
  slots: number,
): number {
  random.key(estate.seed, 6, site.index, day, slot, 0);
  return day * DAY + Math.floor(nightly((slot + random.fraction()) / slots, site.windowStart) * DAY);
}

/** Most copies begin in three hours of the night, the others at any time: the inverse of that distribution. */
function nightly(share: number, windowStart: number): number {
  const width = 1 / 8;
  const everywhere = 0.4;
  const before = everywhere * windowStart;
  const inside = everywhere * width + (1 - everywhere);
  if (share < before) return share / everywhere;
  if (share < before + inside) return windowStart + ((share - before) * width) / inside;
  return windowStart + width + (share - before - inside) / everywhere;
}

/** A slot's jobs: a single one, or a parent followed by its children. */
export function jobGroupAt(
  estate: Estate,
  random: Random,
  site: Site,
  day: number,
  slot: number,
  slots: number,
): readonly Job[] {
  const created = slotTime(estate, random, site, day, slot, slots);
  const children = random.chance(compositeShare) ? 2 + random.below(7) : 0;
  const destination = destinationOf(random, site);
  const forgotten = created + MEMORY;
  const place = { site, day, slot, forgotten, destination };
  if (children === 0) {
    return [{ ...place, member: 0, created, children: [], ...lifeOf(estate, random, place, 0, created) }];
  }
  const group: Job[] = [];
  for (let member = 1; member <= children; member++) {
    random.key(estate.seed, 7, site.index, day, slot, -member);
    const late = random.chance(0.3) ? random.below(2 * HOUR) : random.below(5 * SECOND);
    const life = lifeOf(estate, random, place, member, created + late);
    group.push({ ...place, member, created: created + late, children: [], ...life });
  }
  const outcomes = new Set(group.map((child) => child.outcome));
  const [only] = outcomes;
  const parent: Job = {
    ...place,
    member: 0,
    created,
    started: Math.min(...group.map((child) => child.started)),
    ended: Math.max(...group.map((child) => child.ended)) + random.below(60 * SECOND),
    outcome: outcomes.size === 1 && only !== undefined ? only : 'PARTIAL',
    children: group,
  };
  return [parent, ...group];
}

function destinationOf(random: Random, site: Site): Destination {
  const where = random.fraction();
  const vaultKind = random.fraction();
  const vault = vaultKind < 0.15 ? 'air-gapped' : vaultKind < 0.35 ? 'locked' : 'ordinary';
  const { accountIndex, regionIndex, farRegionIndex, hubIndex } = site;
  if (where < 0.5) return { accountIndex, regionIndex: farRegionIndex, vault };
  if (where < 0.55) return { accountIndex, regionIndex, vault };
  if (where < 0.56) return { accountIndex: null, regionIndex, vault };
  if (where < 0.57) return { accountIndex, regionIndex: null, vault };
  const account = hubIndex ?? accountIndex;
  return { accountIndex: account, regionIndex: where < 0.85 ? regionIndex : farRegionIndex, vault };
}

function lifeOf(
  estate: Estate,
  random: Random,
  { site, day, slot }: Pick<Job, 'site' | 'day' | 'slot'>,
  member: number,
  created: number,
): Pick<Job, 'started' | 'ended' | 'outcome'> {
  random.key(estate.seed, 8, site.index, day, slot, member);
  const started = created + SECOND + random.below(180 * SECOND);
  const length = random.fraction();
  const spread = random.fraction();
  const outcome = random.chance(0.08) ? 'FAILED' : 'COMPLETED';
  const ended = length < 0.003 ? Number.POSITIVE_INFINITY : started + Math.floor(duration(length, spread));
  return { started, ended, outcome };
}

/** Most copies take minutes, some many hours, a few several days; under six days in all. */
function duration(length: number, spread: number): number {
  if (length < 0.7) return 20 * SECOND + spread * HOUR;
  if (length < 0.93) return HOUR + spread * 11 * HOUR;
  if (length < 0.985) return 12 * HOUR + spread * 36 * HOUR;
  return 2 * DAY + spread * 3.9 * DAY;
}

export function stateAt(job: Job, now: number): State {
  if (now >= job.ended) return job.outcome;
  return now >= job.started ? 'RUNNING' : 'CREATED';
}

/** Whether ListCopyJobs can know of it. */
export function isRemembered(job: Job, now: number): boolean {
  return job.created < now && now < job.forgotten;
}
