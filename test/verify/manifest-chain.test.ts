import { expect, it } from 'vitest';
import { checkChain } from '../../src/verify/manifest-chain.ts';

it('names each manifest of a ledger of many years that lost all of them', () => {
  const missing = Array.from({ length: 150_000 }, (_, at) => ({ key: `m${at}`, runId: `r${at}`, asOf: at }));
  const { findings, lost } = checkChain([], missing, () => false, new Map());
  expect(findings).toHaveLength(150_000);
  expect(lost.size).toBe(150_000);
});
