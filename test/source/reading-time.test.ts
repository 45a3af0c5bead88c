import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReadingTime } from '../../src/source/reading-time.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A time of one second, whether it is up, and a request or a wait that ends when it is told to. */
function oneSecond() {
  const onUp = vi.fn();
  const time = new ReadingTime(1_000, onUp, () => performance.now());
  const opened = () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    return { until: () => promise, end: resolve, fail: reject };
  };
  return { time, isUp: () => onUp.mock.calls.length > 0, opened };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('the time to read a target', () => {
  it('is up when a request takes longer', async () => {
    const { time, isUp, opened } = oneSecond();
    const request = opened();
    const done = time.during(request.until);
    await pass(999);
    expect(isUp()).toBe(false);
    await pass(1);
    expect(isUp()).toBe(true);
    request.end();
    await done;
  });

  it('is up when several requests together take longer, those that fail too', async () => {
    const { time, isUp, opened } = oneSecond();
    for (const ms of [400, 500]) {
      const request = opened();
      const done = time.during(request.until);
      await pass(ms);
      request.fail(new Error('no'));
      await expect(done).rejects.toThrow('no');
    }
    const last = opened();
    const done = time.during(last.until);
    await pass(99);
    expect(isUp()).toBe(false);
    await pass(1);
    expect(isUp()).toBe(true);
    last.end();
    await done;
  });

  it('does not pass between requests', async () => {
    const { time, isUp, opened } = oneSecond();
    for (let turn = 0; turn < 3; turn += 1) {
      const request = opened();
      const done = time.during(request.until);
      await pass(300);
      request.end();
      await done;
      await pass(60_000);
    }
    expect(isUp()).toBe(false);
  });

  it('does not pass while a request waits for something else, and goes on after it', async () => {
    const { time, isUp, opened } = oneSecond();
    const [wait, request] = [opened(), opened()];
    const done = time.during(async () => {
      await time.outside(wait.until);
      await request.until();
    });
    await pass(60_000);
    expect(isUp()).toBe(false);
    wait.end();
    await pass(999);
    expect(isUp()).toBe(false);
    await pass(1);
    expect(isUp()).toBe(true);
    request.end();
    await done;
  });

  it('passes while one request waits and another does not, and once for both', async () => {
    const { time, isUp, opened } = oneSecond();
    const [wait, request] = [opened(), opened()];
    const waiting = time.during(() => time.outside(wait.until));
    const done = time.during(request.until);
    await pass(500);
    wait.end();
    await waiting;
    const other = opened();
    const beside = time.during(other.until);
    await pass(499);
    expect(isUp()).toBe(false);
    await pass(1);
    expect(isUp()).toBe(true);
    for (const one of [request, other]) one.end();
    await Promise.all([done, beside]);
  });

  it('leaves no timer behind, also if a wait fails', async () => {
    const { time, opened } = oneSecond();
    const wait = opened();
    const done = time.during(() => time.outside(wait.until));
    wait.fail(new Error('no'));
    await expect(done).rejects.toThrow('no');
    expect(vi.getTimerCount()).toBe(0);
  });
});
