import { describe, expect, it } from 'vitest';
import type { Store, StoredObject } from '../../src/lake/stores/store.ts';
import { AlteredObjectError } from '../../src/shared/errors.ts';
import { Sightings, watched } from '../../src/verify/sightings.ts';

const unasked = async () => {
  throw new Error('nobody asks for this');
};

/** Each read gets the next of these answers. */
function store(...answers: readonly (string | null | Error)[]): Store {
  const left = [...answers];
  const next = async (): Promise<(StoredObject & { bytes: Uint8Array; sha256: string }) | null> => {
    const answer = left.shift();
    if (answer instanceof Error) throw answer;
    return answer == null ? null : { etag: answer, size: 0, bytes: new Uint8Array(), sha256: '' };
  };
  return {
    url: 's3://lake',
    download: next,
    read: next,
    head: unasked,
    put: unasked,
    list: () => {
      throw new Error('nobody asks for this');
    },
    close: async () => undefined,
  };
}

describe('what was seen of an object', () => {
  it('is its ETag, also if it is not what was written, or that it was absent', async () => {
    const sightings = new Sightings();
    const altered = new AlteredObjectError('c is not what was written', 'Restore it.', '"c"');
    const seen = watched(store('"a"', '"b"', altered, null), sightings);
    await seen.read('a');
    await seen.download('b', 'file');
    await expect(seen.read('c')).rejects.toBe(altered);
    await seen.read('d');
    expect(['a', 'b', 'c', 'd', 'e'].map((key) => sightings.of(key))).toEqual([
      { state: 'there', etag: '"a"' },
      { state: 'there', etag: '"b"' },
      { state: 'there', etag: '"c"' },
      { state: 'absent' },
      { state: 'unread' },
    ]);
  });

  it.each([
    ['it changes', ['"1"', '"2"']],
    ['it is removed', ['"1"', null]],
    ['it comes', [null, '"1"']],
    ['it changes back', ['"1"', '"2"', '"1"']],
  ])('is that it is changing, if %s between two reads', async (_, answers) => {
    const sightings = new Sightings();
    const seen = watched(store(...answers), sightings);
    for (const _read of answers) await seen.read('a');
    expect(sightings.of('a')).toEqual({ state: 'changing' });
  });

  it('stays the same when it is read again', async () => {
    const sightings = new Sightings();
    const seen = watched(store('"1"', '"1"'), sightings);
    for (const _read of [1, 2]) await seen.read('a');
    expect(sightings.of('a')).toEqual({ state: 'there', etag: '"1"' });
  });
});
