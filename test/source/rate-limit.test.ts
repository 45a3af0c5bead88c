import { afterEach, describe, expect, it, vi } from 'vitest';
import { createRateLimit } from '../../src/source/rate-limit.ts';

const signal = new AbortController().signal;
const day = 24 * 60 * 60 * 1000;

afterEach(() => vi.restoreAllMocks());

describe('the pace of requests', () => {
  it('lets no more than the limit begin within any interval', async () => {
    const intervalMs = 40;
    // A clock of the test's own: it moves only between turns, so no slow turn comes between a begin and its time.
    let clock = 0;
    const ticking = setInterval(() => {
      clock += 1;
    }, 1);
    const pace = createRateLimit({ limit: 3, intervalMs, signal, now: () => clock });
    const begun = await Promise.all(
      Array.from({ length: 11 }, async () => {
        await pace();
        return clock;
      }),
    );
    clearInterval(ticking);
    for (const [index, at] of begun.sort((a, b) => a - b).entries()) {
      const fourth = begun[index + 3];
      if (fourth !== undefined) expect(fourth - at).toBeGreaterThanOrEqual(intervalMs);
    }
  });

  it.each([-day, day])('goes on when the local clock is set by %d ms', async (jump) => {
    const intervalMs = 30;
    const pace = createRateLimit({ limit: 1, intervalMs, signal });
    await pace();
    const begin = performance.now();
    const realNow = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + jump);
    // That this ends at all is the point: a day is longer than any test waits.
    await pace();
    expect(performance.now() - begin).toBeGreaterThanOrEqual(intervalMs - 1);
  });

  it('lets go of whoever waits when it is stopped', async () => {
    const stopping = new AbortController();
    const pace = createRateLimit({ limit: 1, intervalMs: day, signal: stopping.signal });
    await pace();
    const waiting = pace();
    stopping.abort();
    await expect(waiting).rejects.toThrow('aborted');
  });
});
