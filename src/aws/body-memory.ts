/**
 * Bounds the bytes of response bodies in memory. The number of pages at once has a bound too, but one page can
 * be a thousand times as long as another. If a body does not fit, the caller drops the response, waits for memory, and
 * sends the request again. So nobody waits with a socket that times out, or with half a body in memory.
 */
import { Semaphore } from 'async-mutex';
import { acquireUnlessAborted } from '../shared/abort.ts';

/** Memory for a body whose length is not declared; if it turns out longer, it is read alone. */
const undeclaredBytes = 2 * 2 ** 20;

/** Memory is reserved in units of this size. */
const unitBytes = 16 * 1024;

export interface BodyMemory {
  /** The longest body that is read at all, in bytes. */
  readonly longestBody: number;
  /** Waits for memory, for a body that did not fit. */
  waitFor(bytes: number, signal: AbortSignal): Promise<MemoryReservation>;
  /** Reserves memory for a body that is about to be read. @throws BodyMemoryFull, BodyTooLong */
  reserve(declaredBytes: number | null): Promise<MemoryReservation>;
}

/** Memory that stays reserved until it is released. */
export interface MemoryReservation {
  /** The longest body that may be read into it. */
  readonly bytes: number;
  release(): void;
}

/** There is not enough memory for this body now. */
export class BodyMemoryFull extends Error {
  override readonly name = 'BodyMemoryFull';
  /** What the body needs. */
  readonly bytes: number;
  constructor(bytes: number) {
    super(`a response of ${bytes} bytes has to wait for memory`);
    this.bytes = bytes;
  }
}

/** The body is longer than the program ever reads. */
export class BodyTooLong extends Error {
  // This name appears in export_coverage and stays.
  override readonly name = 'AnswerTooLarge';
  constructor(longest: number) {
    super(
      `a response is longer than ${Math.round(longest / 2 ** 20)} MiB, the most that is read into memory; check what stands between this host and AWS, or why the records are so long`,
    );
  }
}

/**
 * @param budget bytes of all bodies together; a longer body is read while no other is in memory
 * @param longestBody bytes of one body
 */
export function createBodyMemory(budget = 64 * 2 ** 20, longestBody = 128 * 2 ** 20): BodyMemory {
  // On each release async-mutex 0.5 takes one step per free unit (Semaphore.js, _unlockWaiters).
  const unitsOf = (bytes: number) => Math.max(1, Math.ceil(Math.min(bytes, budget) / unitBytes));
  const semaphore = new Semaphore(unitsOf(budget));
  let waiting = 0;
  const acquire = async (bytes: number): Promise<MemoryReservation> => {
    const [, release] = await semaphore.acquire(unitsOf(bytes));
    // A body that needs the whole budget is alone in memory, so it may be as long as any body.
    return { bytes: bytes >= budget ? longestBody : bytes, release };
  };
  return {
    longestBody,
    async waitFor(bytes, signal) {
      waiting += 1;
      const acquired = acquire(bytes).finally(() => {
        waiting -= 1;
      });
      return acquireUnlessAborted(acquired, signal, ({ release }) => release());
    },
    async reserve(declaredBytes) {
      const bytes = declaredBytes ?? Math.min(undeclaredBytes, budget);
      if (bytes > longestBody) throw new BodyTooLong(longestBody);
      // Short bodies must not overtake a long one forever.
      if (waiting > 0 || semaphore.getValue() < unitsOf(bytes)) throw new BodyMemoryFull(bytes);
      return acquire(bytes);
    },
  };
}
