import { expect, it } from 'vitest';
import type { PutOutcome, Store } from '../../src/lake/stores/store.ts';
import { writeOnce } from '../../src/lake/write-once.ts';

/** A store that answers the writes so, in turn, and holds the object or not. */
function storeThat(outcomes: readonly PutOutcome[], holds: boolean): { store: Store; writes: () => number } {
  let writes = 0;
  const store: Partial<Store> = {
    url: 's3://bucket/lake',
    put: async () => outcomes[Math.min(writes++, outcomes.length - 1)] ?? { written: false },
    read: async () => (holds ? { etag: '"e"', size: 1, bytes: new Uint8Array([1]) } : null),
  };
  // writeOnce calls nothing else.
  return { store: store as Store, writes: () => writes };
}

const request = {
  key: 'a/b.json',
  body: { bytes: new Uint8Array([1]) },
  runId: 'run',
  contentType: 'text/plain',
};
const refused = { written: false } as const;
const written = { written: true, etag: '"e"', size: 1 } as const;

it('writes again when the store says that the object exists, and it does not', async () => {
  const { store, writes } = storeThat([refused, refused, written], false);
  await writeOnce(store, request);
  expect(writes()).toBe(3);
});

it('gives up when the store goes on saying so', async () => {
  const { store, writes } = storeThat([refused], false);
  await expect(writeOnce(store, request)).rejects.toThrow(/5 times the store said that it exists/);
  expect(writes()).toBe(5);
});

it('refuses an object that is there already', async () => {
  const { store, writes } = storeThat([refused], true);
  await expect(writeOnce(store, request)).rejects.toThrow(/already exists/);
  expect(writes()).toBe(1);
});
