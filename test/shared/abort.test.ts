import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { abortable } from '../../src/shared/abort.ts';

it('gives up as soon as the signal is aborted, and takes no notice of what comes later', async () => {
  const stop = new AbortController();
  const late = Promise.withResolvers<string>();
  const waiting = abortable(late.promise, stop.signal);
  stop.abort(new Error('the time is up'));
  await expect(waiting).rejects.toThrow('the time is up');
  // Unhandled, it would end the tests.
  late.reject(new Error('too late'));
  await expect(abortable(Promise.resolve('there'), stop.signal)).rejects.toThrow('the time is up');
});

it('resolves and rejects as the promise does, and then no longer listens', async () => {
  const { signal } = new AbortController();
  expect(await abortable(Promise.resolve('there'), signal)).toBe('there');
  await expect(abortable(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
  await Promise.resolve();
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
