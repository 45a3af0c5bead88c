/**
 * A Bloom filter of numbers that are spread evenly over 32 bits, such as the beginning of a hash. Ten bits for each make it wrong
 * about one in seventy that are not there. The bits of one number lie in one block, which is a line of the processor's cache.
 * (Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2009: blocked filters.)
 */
import { freeBytes } from '../shared/free-bytes.ts';

const bitsOfEach = 10;
const blockBits = 512;
const blockWords = blockBits / 32;
const inBlock = blockBits - 1;

export class KeyFilter {
  readonly #words: Uint32Array;
  readonly #blocks: number;

  /** @param expected how many numbers there will be */
  constructor(expected: number) {
    this.#blocks = Math.max(1, Math.ceil((expected * bitsOfEach) / blockBits));
    this.#words = new Uint32Array(this.#blocks * blockWords);
  }

  /** Frees the memory. */
  close(): void {
    freeBytes(this.#words);
  }

  add(key: number): void {
    const block = this.#blockOf(key);
    const mixed = Math.imul(key, 0x9e3779b1);
    this.#set(block, mixed >>> 23);
    this.#set(block, (mixed >>> 14) & inBlock);
    this.#set(block, (mixed >>> 5) & inBlock);
    this.#set(block, key & inBlock);
  }

  /** False: it was not added. */
  mayHave(key: number): boolean {
    const block = this.#blockOf(key);
    const mixed = Math.imul(key, 0x9e3779b1);
    return (
      this.#has(block, key & inBlock) &&
      this.#has(block, mixed >>> 23) &&
      this.#has(block, (mixed >>> 14) & inBlock) &&
      this.#has(block, (mixed >>> 5) & inBlock)
    );
  }

  /** Equal shares of the numbers have equal shares of the blocks. */
  #blockOf(key: number): number {
    return Math.floor((key * this.#blocks) / 2 ** 32) * blockWords;
  }

  #set(block: number, bit: number): void {
    const word = block + (bit >>> 5);
    this.#words[word] = (this.#words[word] ?? 0) | (1 << (bit & 31));
  }

  #has(block: number, bit: number): boolean {
    return (((this.#words[block + (bit >>> 5)] ?? 0) >>> (bit & 31)) & 1) === 1;
  }
}
