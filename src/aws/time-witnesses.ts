/** Finds the time that independent witnesses agree on. Pure: sends no requests. */
import { type ClockReading, clockToleranceMs } from './clock.ts';

export interface Witness extends ClockReading {
  /** True for AWS. Any other clock can be set by whoever runs it. */
  readonly isAws: boolean;
}

export interface Verdict {
  /** Of AWS's witnesses that agree, the one that was asked first. */
  readonly agreed: Witness;
  /** How many of the witnesses that agree are AWS's. */
  readonly votesOfAws: number;
  /** The witnesses that say something else. */
  readonly dissenting: readonly Witness[];
}

/**
 * If AWS has two or more witnesses and all of them agree, they decide. Otherwise a majority of all witnesses decides, if
 * it has at least two members and one of them is AWS's. Null: there is no agreement.
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
    // A group starts at its earliest member. A witness one second earlier is not in it, and still agrees.
    dissenting: witnesses.filter((one) => !agree(agreed, one)),
  };
}

/** True when the other time is the same or a little later. Each group is built from its earliest member. */
function isWithin(first: ClockReading, other: ClockReading): boolean {
  const apart = offsetOf(other) - offsetOf(first);
  return apart >= 0 && apart <= clockToleranceMs;
}

/** True when two readings show the same time, whenever they were taken. */
export function agree(a: ClockReading, b: ClockReading): boolean {
  return Math.abs(offsetOf(a) - offsetOf(b)) <= clockToleranceMs;
}

function offsetOf({ epochMs, at }: ClockReading): number {
  return epochMs - at;
}

/** `AWS STS in us-east-1 says 2026-11-21T02:00:00Z, …`: what each shows at the same instant. @param now monotonic */
export function describeTimes(witnesses: readonly ClockReading[], now: number): string {
  const said = witnesses.map((one) => {
    const time = new Date(offsetOf(one) + now).toISOString().replace(/\.\d+Z$/, 'Z');
    return `${one.who} says ${time}`;
  });
  return said.join(', ');
}
