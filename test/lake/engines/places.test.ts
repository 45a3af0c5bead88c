import { describe, expect, it } from 'vitest';
import { Places } from '../../../src/lake/engines/places.ts';

/** Work that runs until it is told to end. */
function work(places: Places, log: string[], name: string, needs: 'one' | 'all') {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const done = places.run(needs, async () => {
    log.push(name);
    await promise;
  });
  return { done, end: resolve, fail: reject };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('places', () => {
  it('run as much at once as there are, in order, and let nothing overtake what needs all', async () => {
    const places = new Places(2);
    const log: string[] = [];
    const [a, b] = [work(places, log, 'a', 'one'), work(places, log, 'b', 'one')];
    const all = work(places, log, 'all', 'all');
    const c = work(places, log, 'c', 'one');
    await turn();
    expect(log).toEqual(['a', 'b']);
    a.end();
    await a.done;
    await turn();
    expect(log).toEqual(['a', 'b']);
    b.fail(new Error('broken'));
    await expect(b.done).rejects.toThrow('broken');
    await turn();
    expect(log).toEqual(['a', 'b', 'all']);
    all.end();
    await all.done;
    c.end();
    await c.done;
    expect(log).toEqual(['a', 'b', 'all', 'c']);
  });
});
