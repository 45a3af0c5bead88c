/** What time it is, told by those who agree. Pure: asks nobody. */
import { type ClockReading, clockToleranceMs } from './clock.ts';

export interface Witness extends ClockReading {
  /** Whether it is AWS that says so; everything else may be set by whoever runs it. */
  readonly isAws: boolean;
}

export interface Verdict {
  /** Of those who agree, the one of AWS that was asked first. */
  readonly agreed: Witness;
  /** How many of those who agree are AWS's. */
  readonly votesOfAws: number;
  /** Those who say something else. */
  readonly dissenting: readonly Witness[];
}

/**
 * AWS's own witnesses decide where there are two or more and all of them agree; else those do who are more than half of
 * all, at least two, one of AWS among them. Null: nobody can tell.
 * @param witnesses in the order in which they were asked
 */
export function verdictOf(witnesses: readonly Witness[]): Verdict | null {
  const aws = witnesses.filter(({ isAws }) => isAws);
  const groups = witnesses.map((first) => witnesses.filter((other) => isWithin(first, other)));
  const unanimous = groups.find((group) => aws.length >= 2 && aws.every((one) => group.includes(one)));
  const majority = groups.find((group) => group.length >= 2 && group.length > witnesses.length / 2);
  const agreeing = unanimous ?? majority ?? [];
  const agreed = agreeing.find(({ isAws }) => isAws);
  if (agreed === undefined) return null;
  return {
    agreed,
    votesOfAws: agreeing.filter(({ isAws }) => isAws).length,
    // A group begins with its earliest: who is a second before that agrees with it all the same.
    dissenting: witnesses.filter((one) => !agree(agreed, one)),
  };
}

/** Whether the other's time is this one's or later, but not too much: each group is made from its earliest. */
function isWithin(first: ClockReading, other: ClockReading): boolean {
  const apart = offsetOf(other) - offsetOf(first);
  return apart >= 0 && apart <= clockToleranceMs;
}

/** Whether two readings are of one clock, whenever they were made. */
export function agree(a: ClockReading, b: ClockReading): boolean {
  return Math.abs(offsetOf(a) - offsetOf(b)) <= clockToleranceMs;
}

function offsetOf({ epochMs, at }: ClockReading): number {
  return epochMs - at;
}

/** `AWS STS in us-east-1 says 2026-11-21T02:00:00Z, …`: all by one instant. @param now monotonic */
export function describeTimes(witnesses: readonly ClockReading[], now: number): string {
  const said = witnesses.map((one) => {
    const time = new Date(offsetOf(one) + now).toISOString().replace(/\.\d+Z$/, 'Z');
    return `${one.who} says ${time}`;
  });
  return said.join(', ');
}
