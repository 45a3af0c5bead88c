import { expect, it } from 'vitest';
import { tableMemory } from '../../src/status/drain-status.ts';
import { day } from './organizations.ts';

it('remembers from where the latest of many years of runs did', () => {
  const runs = Array.from({ length: 150_000 }, (_, at) => ({
    runId: `r${at}`,
    asOf: (at + 40) * day,
    rememberedFrom: { copy_jobs: (at + 10) * day },
  }));
  const { memoryMs, rememberedFrom } = tableMemory('copy_jobs', runs, 150_039 * day);
  expect(memoryMs / day).toBe(30);
  expect(rememberedFrom / day).toBe(150_009);
});
