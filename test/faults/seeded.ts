/** Numbers that follow from a seed: the same scenario and seed meet the same faults. */

/** A fraction in [0, 1) that follows from the parts alone, whatever was drawn before. */
export function drawn(...parts: readonly (string | number)[]): number {
  let hash = 2166136261;
  for (const letter of parts.join('\u0000')) {
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16777619);
  }
  // The finalizer of MurmurHash3 (en.wikipedia.org/wiki/MurmurHash): every bit of the input reaches every bit.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** A sequence of draws under one name. */
export interface Draws {
  fraction(): number;
  /** An integer in [0, end). */
  below(end: number): number;
  pick<T>(list: readonly T[]): T;
}

export function drawsOf(...name: readonly (string | number)[]): Draws {
  let turn = 0;
  const fraction = () => drawn(...name, turn++);
  const below = (end: number) => Math.floor(fraction() * end);
  return {
    fraction,
    below,
    pick(list) {
      const index = below(list.length);
      if (index >= list.length) throw new Error('nothing to pick from');
      // Safe: the index lies within the list.
      return list[index] as (typeof list)[number];
    },
  };
}
