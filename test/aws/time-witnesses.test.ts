import { describe, expect, it } from 'vitest';
import { describeTimes, verdictOf, type Witness } from '../../src/aws/time-witnesses.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const now = Date.UTC(2026, 10, 21, 2);

const aws = (who: string, off = 0, at = 0): Witness => ({ who, epochMs: now + off + at, at, isAws: true });
const other = (who: string, off = 0): Witness => ({ who, epochMs: now + off, at: 0, isAws: false });
const agreedBy = (...witnesses: Witness[]) => verdictOf(witnesses)?.agreed.who ?? null;

describe('what time it is', () => {
  it.each<[string, Witness[], string | null]>([
    ['one of AWS and the machine', [aws('sts'), other('machine', 4 * minute)], 'sts'],
    ['two of AWS against the machine', [aws('sts'), aws('backup', minute), other('machine', 6 * day)], 'sts'],
    [
      'two of AWS against the machine and its store',
      [aws('sts'), aws('backup'), other('m', day), other('s', day)],
      'sts',
    ],
    [
      'another of AWS and the machine against one',
      [aws('sts', 40 * day), aws('backup'), other('machine')],
      'backup',
    ],
    [
      'most of AWS',
      [aws('sts', -3 * day), aws('backup'), aws('ec2'), aws('account'), other('m', 6 * day)],
      'backup',
    ],
  ])('is told by %s', (_, witnesses, who) => {
    expect(agreedBy(...witnesses)).toBe(who);
  });

  it.each<[string, Witness[]]>([
    ['one alone', [aws('sts')]],
    ['one of AWS against the machine', [aws('sts'), other('machine', 6 * minute)]],
    ['three who all differ', [aws('sts', 40 * day), aws('backup'), other('machine', 6 * day)]],
    ['two against two', [aws('sts', day), aws('ec2', day), aws('backup'), other('machine')]],
    ['the machine and its store, without AWS', [aws('sts', day), other('machine'), other('store')]],
    [
      'a chain in which only neighbours agree',
      [aws('a'), aws('b', 4 * minute), aws('c', 8 * minute), other('m', 12 * minute)],
    ],
  ])('cannot be told by %s', (_, witnesses) => {
    expect(agreedBy(...witnesses)).toBeNull();
  });

  it('is compared by one instant, however long ago a witness was asked', () => {
    expect(agreedBy(aws('sts', 0, 0), aws('backup', 0, 30 * minute))).toBe('sts');
    expect(describeTimes([aws('sts', 0, 0)], 1000)).toBe('sts says 2026-11-21T02:00:01Z');
  });

  it('names those who say something else', () => {
    expect(verdictOf([aws('sts', day), aws('backup'), other('machine')])?.dissenting).toMatchObject([
      { who: 'sts' },
    ]);
  });

  it('does not call a clock wrong that is a second behind those who agree', () => {
    const witnesses = [
      aws('sts', 40 * day),
      aws('backup'),
      aws('ec2'),
      aws('account', -1000),
      other('m', 500),
    ];
    expect(verdictOf(witnesses)?.dissenting).toMatchObject([{ who: 'sts' }]);
  });
});
