import { expect, it } from 'vitest';
import { type Hurt, Hurts, type Subject } from './hurts.ts';

const subject: Subject = {
  stage: 'request',
  service: 'backup',
  api: 'ListCopyJobs',
  region: 'us-east-1',
  caller: '1',
  key: '',
};
const drop: Hurt = { service: 'backup', deed: { kind: 'drop' } };

function met(seed: number, hurt: Hurt, order: readonly Subject[]): boolean[] {
  const hurts = new Hurts(seed);
  hurts.set([hurt]);
  return order.map((one) => hurts.meet(one).length > 0);
}

it('the same seed meets the same requests, in whatever order callers come', () => {
  const [one, other] = ['1', '2'].map((caller) => Array.from({ length: 40 }, () => ({ ...subject, caller })));
  const hurt = { ...drop, probability: 0.4 };
  const apart = [...met(5, hurt, one ?? []), ...met(5, hurt, other ?? [])];
  const together = met(5, hurt, [...(other ?? []), ...(one ?? [])]);
  expect([...together.slice(40), ...together.slice(0, 40)]).toEqual(apart);
  expect(apart.filter(Boolean).length).toBeGreaterThan(10);
  expect(apart.filter(Boolean).length).toBeLessThan(60);
  expect(met(6, hurt, one ?? [])).not.toEqual(met(5, hurt, one ?? []));
});

it('lets the first through, then meets so many, and only those that match', () => {
  const others = [
    { ...subject, service: 's3' },
    { ...subject, stage: 'connect' as const },
  ];
  expect(met(1, { ...drop, after: 1, count: 2 }, [subject, ...others, subject, subject, subject])).toEqual([
    false,
    false,
    false,
    true,
    true,
    false,
  ]);
});
