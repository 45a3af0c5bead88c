/** Makes and reads the ids of copy jobs. */
import type { Estate } from './estate.ts';
import { Random } from './random.ts';
import type { Job } from './timelines.ts';

/**
 * An id contains the job's day and slot, masked, so that a parent is found by its id without a search:
 * 8 random digits, then 20 bits of day and 28 bits of slot, then 12 random digits.
 */
export function jobIdOf(
  estate: Estate,
  random: Random,
  job: Pick<Job, 'site' | 'day' | 'slot' | 'member'>,
): string {
  random.key(estate.seed, 10, job.site.index, job.day, job.slot, job.member);
  const salt = random.hex(8);
  const tail = random.hex(12);
  const place = (job.day * 0x10000000 + job.slot).toString(16).padStart(12, '0');
  const [a, b, c] = masked(estate, random, salt, place);
  return `${salt}-${a}-${b}-${c}-${tail}`.toUpperCase();
}

/** Masks or unmasks four digits at a time. */
function masked(estate: Estate, random: Random, salt: string, digits: string): readonly string[] {
  random.key(estate.seed, 11, Number.parseInt(salt, 16) | 0, 0, 0, 0);
  return [0, 4, 8].map((at) => {
    const quad = Number.parseInt(digits.slice(at, at + 4), 16) ^ (random.next() >>> 16);
    return Random.quads[quad] ?? '';
  });
}

/** The day and slot in an id, whether or not such a job exists. */
export function placeOfId(estate: Estate, random: Random, id: string): { day: number; slot: number } | null {
  const match = /^([0-9A-F]{8})-([0-9A-F]{4})-([0-9A-F]{4})-([0-9A-F]{4})-[0-9A-F]{12}$/i.exec(id);
  if (!match) return null;
  const [, salt = '', ...hidden] = match;
  const place = Number.parseInt(masked(estate, random, salt, hidden.join('')).join(''), 16);
  return { day: Math.floor(place / 0x10000000), slot: place % 0x10000000 };
}
