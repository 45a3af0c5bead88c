import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { withRetries } from '../../src/aws/retries.ts';

/** Fails with a server error until `succeeds`. */
function failing() {
  let isUp = false;
  const send = vi.fn(async () => {
    if (isUp) return 'a response';
    throw Object.assign(new Error('busy'), {
      name: 'ServiceUnavailable',
      $metadata: { httpStatusCode: 503 },
    });
  });
  return {
    send,
    succeeds: () => {
      isUp = true;
    },
  };
}

const policy = { firstDelayMs: 1, longestDelayMs: 1, retryForMs: 200, onRetry: () => undefined };

it('nothing is sent again before what comes first is there, and the time for retries begins then', async () => {
  const { promise: after, resolve: comes } = Promise.withResolvers<void>();
  const { send, succeeds } = failing();
  const result = withRetries(send, { ...policy, after });
  // Longer than the time for retries.
  await delay(300);
  expect(send).toHaveBeenCalledOnce();
  comes();
  await vi.waitFor(() => expect(send.mock.calls.length).toBeGreaterThan(1));
  succeeds();
  expect(await result).toBe('a response');
});

it('nothing is sent again if what comes first fails', async () => {
  const { send } = failing();
  const after = Promise.reject(new Error('STS refuses'));
  await expect(withRetries(send, { ...policy, after })).rejects.toThrow('busy');
  expect(send).toHaveBeenCalledOnce();
});

it('a response that comes before what comes first is taken at once', async () => {
  const { send, succeeds } = failing();
  succeeds();
  const after = Promise.withResolvers<never>().promise;
  expect(await withRetries(send, { ...policy, after })).toBe('a response');
});

it('a request that was told to end while it waits to be sent again is not sent', async () => {
  const { promise: after, resolve: comes } = Promise.withResolvers<void>();
  const { send } = failing();
  const stop = new AbortController();
  const result = withRetries(send, { ...policy, after }, stop.signal).catch((error: unknown) => error);
  await vi.waitFor(() => expect(send).toHaveBeenCalledOnce());
  stop.abort();
  comes();
  expect(await result).toBeInstanceOf(Error);
  expect(send).toHaveBeenCalledOnce();
});
