import { describe, expect, it } from 'vitest';
import { createTargetPace, createTargetPaces } from '../../src/source/target-pace.ts';

const rate = 10;

describe('the pace of a target', () => {
  it('is the full one until AWS throttles it', () => {
    const pace = createTargetPace(rate, () => 0);
    expect([pace.reserve(), pace.reserve(), pace.reserve()]).toEqual([0, 0, 0]);
  });

  it('is half as fast after a throttled response, and responses sent beside it count once', () => {
    let now = 0;
    const pace = createTargetPace(rate, () => now);
    for (let i = 0; i < 4; i += 1) pace.throttled();
    expect([pace.reserve(), pace.reserve(), pace.reserve()]).toEqual([0, 200, 400]);
    now = 2_000;
    pace.throttled();
    expect([pace.reserve(), pace.reserve()]).toEqual([0, 400]);
  });

  it('never stops, and is full again after enough pages', () => {
    let now = 0;
    const pace = createTargetPace(rate, () => now);
    for (let i = 0; i < 100; i += 1) {
      now += 1_000;
      pace.throttled();
    }
    expect(pace.reserve()).toBe(0);
    expect(pace.reserve()).toBe(3_200);
    for (let i = 0; i < 20; i += 1) pace.answered();
    now += 10_000;
    expect([pace.reserve(), pace.reserve()]).toEqual([0, 0]);
  });

  it('belongs to one account and region', () => {
    const paces = createTargetPaces(rate, () => 0);
    const target = (accountId: string, region: string) => ({
      accountId,
      region,
      accountName: null,
      regionNamed: false,
      credentials: async () => ({ accessKeyId: 'A', secretAccessKey: 's' }),
    });
    paces(target('111122223333', 'eu-west-1')).throttled();
    for (const other of [target('111122223333', 'us-east-1'), target('444455556666', 'eu-west-1')]) {
      expect([paces(other).reserve(), paces(other).reserve()]).toEqual([0, 0]);
    }
    const same = paces(target('111122223333', 'eu-west-1'));
    expect([same.reserve(), same.reserve()]).toEqual([0, 200]);
  });
});
