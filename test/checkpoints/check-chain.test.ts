import { expect, it } from 'vitest';
import { checkChain } from '../../src/checkpoints/check-chain.ts';
import { checkpointKey } from '../../src/lake/layout.ts';
import type { Store } from '../../src/lake/stores/store.ts';

/** A store that lists so many checkpoints and has none of them. */
function listing(count: number): Pick<Store, 'read' | 'list' | 'url'> {
  return {
    url: 'memory',
    read: async () => null,
    list: async function* () {
      for (let number = 1; number <= count; number += 1) yield checkpointKey(number);
    },
  };
}

const kindsOf = (findings: readonly { readonly kind: string }[]) => [
  ...new Set(findings.map(({ kind }) => kind)),
];

it('follows a chain of many years, of several runs an hour', async () => {
  const { checkpoints, findings } = await checkChain({ store: listing(150_000), witness: null, keys: [] });
  expect(checkpoints).toBe(150_000);
  expect(findings).toHaveLength(150_000);
  expect(kindsOf(findings)).toEqual(['checkpoint-missing']);
});

it('names all of a long chain that only the witness still has', async () => {
  const { findings } = await checkChain({ store: listing(0), witness: listing(150_000), keys: [] });
  expect(findings).toHaveLength(150_000);
  expect(kindsOf(findings)).toEqual(['checkpoint-rolled-back']);
});
