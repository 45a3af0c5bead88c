/**
 * How many bytes of answers are in memory at once. Slots bound how many answers; a page can be a thousand times as long
 * as another. Whoever finds no room lets the answer go, waits, and asks again: nobody waits with a socket that
 * times out, or with half a body in memory.
 */
import { Semaphore } from 'async-mutex';
import { abortable } from '../shared/abort.ts';

/** Room for so much of a body whose length is not said; a longer one is read alone. */
const unsaidBytes = 2 * 2 ** 20;

/** Room is given out by so many bytes. */
const unitBytes = 16 * 1024;

export interface BodyRoom {
  /** The longest body that is read at all. */
  readonly most: number;
  /** Waits for room for a body that has been seen to need it. */
  wait(bytes: number, signal: AbortSignal): Promise<Place>;
  /** Room for a body that has come. @throws NoRoom */
  take(bytes: number | null): Promise<Place>;
}

/** Room that is held until it is given back. */
export interface Place {
  /** The longest body that it is meant for. */
  readonly bytes: number;
  release(): void;
}

/** What a body needs that cannot be read now. */
export class NoRoom extends Error {
  override readonly name = 'NoRoom';
  readonly bytes: number;
  constructor(bytes: number) {
    super(`an answer of ${bytes} bytes has to wait for others`);
    this.bytes = bytes;
  }
}

/** A body that is longer than any that is read. */
export class BodyTooLong extends Error {
  override readonly name = 'AnswerTooLarge';
  constructor(most: number) {
    super(
      `an answer is longer than ${Math.round(most / 2 ** 20)} MiB, more than is read into memory at once; look what stands between this host and AWS, or what made its records so long`,
    );
  }
}

/**
 * @param budget bytes of all bodies together; one that is longer is read while no other is in memory
 * @param most bytes of one body
 */
export function createBodyRoom(budget = 64 * 2 ** 20, most = 128 * 2 ** 20): BodyRoom {
  // async-mutex 0.5 takes a step for every unit that is free whenever some are given back (Semaphore.js, _unlockWaiters).
  const unitsOf = (bytes: number) => Math.max(1, Math.ceil(Math.min(bytes, budget) / unitBytes));
  const semaphore = new Semaphore(unitsOf(budget));
  let waiting = 0;
  const hold = async (bytes: number): Promise<Place> => {
    const [, release] = await semaphore.acquire(unitsOf(bytes));
    // What needs all the room has it alone, however long it is.
    return { bytes: bytes >= budget ? most : bytes, release };
  };
  return {
    most,
    async wait(bytes, signal) {
      waiting += 1;
      const held = hold(bytes).finally(() => {
        waiting -= 1;
      });
      try {
        return await abortable(held, signal);
      } catch (error) {
        held.then(({ release }) => release());
        throw error;
      }
    },
    async take(said) {
      const bytes = said ?? Math.min(unsaidBytes, budget);
      if (bytes > most) throw new BodyTooLong(most);
      // Short ones do not overtake a long one for ever.
      if (waiting > 0 || semaphore.getValue() < unitsOf(bytes)) throw new NoRoom(bytes);
      return hold(bytes);
    },
  };
}
