/**
 * Random numbers that depend only on a key: the same key gives the same numbers, whatever was drawn before. So any job
 * can be generated without generating others.
 * The generator is sfc32 of PractRand, https://pracrand.sourceforge.net/RNG_engines.txt.
 */
export class Random {
  /** All numbers of four hexadecimal digits, from which most of a record is built. */
  static readonly quads: readonly string[] = Array.from({ length: 0x10000 }, (_, n) =>
    n.toString(16).padStart(4, '0'),
  );

  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  /** Starts the sequence of these six integers. */
  key(k1: number, k2: number, k3: number, k4: number, k5: number, k6: number): this {
    let h = 0x9e3779b9;
    h = mixHash(h, k1);
    h = mixHash(h, k2);
    h = mixHash(h, k3);
    this.#a = h;
    h = mixHash(h, k4);
    this.#b = h ^ Math.imul(k1, 0x27d4eb2f);
    h = mixHash(h, k5);
    this.#c = h ^ Math.imul(k2, 0x165667b1) ^ Math.imul(k3, 0x5bd1e995);
    h = mixHash(h, k6);
    this.#d = h;
    for (let round = 0; round < 8; round++) this.next();
    return this;
  }

  /** An integer, 0 to 2^32 − 1. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + sum) | 0;
    return sum >>> 0;
  }

  /** From 0 (inclusive) to 1 (exclusive). */
  fraction(): number {
    return this.next() / 4294967296;
  }

  /** An integer, 0 to n − 1. */
  below(n: number): number {
    return Math.floor(this.fraction() * n);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** An element of a non-empty list. */
  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new RangeError('pick needs a list that is not empty');
    return found;
  }

  /** Lower-case hexadecimal digits; their number must be a multiple of four. */
  hex(digits: number): string {
    let text = '';
    for (let done = 0; done < digits; done += 4) text += this.#quad();
    return text;
  }

  uuid(): string {
    const { quads } = Random;
    const a = this.next();
    const b = this.next();
    const c = this.next();
    const d = this.next();
    const version = quads[0x4000 | (b & 0xfff)];
    const variant = quads[0x8000 | (c & 0x3fff)];
    return `${quads[a >>> 16]}${quads[a & 0xffff]}-${quads[b >>> 16]}-${version}-${variant}-${quads[c >>> 16]}${quads[d >>> 16]}${quads[d & 0xffff]}`;
  }

  #quad(): string {
    return Random.quads[this.next() >>> 16] ?? '';
  }

  /** Poisson-distributed; above a mean of 60, by its normal approximation. */
  poisson(mean: number): number {
    if (mean <= 0) return 0;
    if (mean > 60) {
      const normal = Math.sqrt(-2 * Math.log(1 - this.fraction())) * Math.cos(2 * Math.PI * this.fraction());
      return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
    }
    const limit = Math.exp(-mean);
    let product = this.fraction();
    let count = 0;
    while (product > limit) {
      product *= this.fraction();
      count++;
    }
    return count;
  }
}

/** Mixes one integer into a hash (the finalizer of MurmurHash3, https://github.com/aappleby/smhasher). */
export function mixHash(hash: number, value: number): number {
  let h = Math.imul(hash ^ value, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return (h + 0x9e3779b9) | 0;
}
