/** Watches the progress of a run, and keeps what a trace and the metrics need of it. */
import { targetName } from '../../targets/target.ts';
import type { Progress } from '../progress.ts';
import type { Drain } from '../run-progress.ts';

/** The longest drains are kept; a run of an organization has tens of thousands. */
const keptDrains = 200;

export interface ObservedDrain {
  readonly drain: Drain;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly pages: number;
  readonly ok: boolean;
}

export interface Observation {
  /** Requests that AWS throttled. */
  readonly throttles: number;
  /** The longest first. */
  readonly drains: readonly ObservedDrain[];
  readonly drainsLeftOut: number;
  /** From the first part to the last, milliseconds since the epoch; null: no part was published. */
  readonly published: { readonly from: number; readonly to: number } | null;
}

/** @param now milliseconds since the epoch */
export function observedProgress(
  progress: Progress,
  now: () => number,
): { readonly progress: Progress; readonly observation: () => Observation } {
  let throttles = 0;
  let ended = 0;
  let published: { from: number; to: number } | null = null;
  let longest: ObservedDrain[] = [];
  const underWay = new Map<string, { from: number; pages: number }>();
  const keyOf = ({ table, target }: Drain) => `${table} ${targetName(target)}`;
  const keepLongest = () => {
    longest = longest.sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, keptDrains);
  };
  return {
    observation: () => {
      keepLongest();
      return { throttles, drains: longest, drainsLeftOut: ended - longest.length, published };
    },
    progress: {
      ...progress,
      drainBegan: (drain) => {
        underWay.set(keyOf(drain), { from: now(), pages: 0 });
        progress.drainBegan(drain);
      },
      page: (drain, rows) => {
        const begun = underWay.get(keyOf(drain));
        if (begun !== undefined) begun.pages += 1;
        progress.page(drain, rows);
      },
      throttled: (target) => {
        throttles += 1;
        progress.throttled(target);
      },
      drained: (drain, ok) => {
        const begun = underWay.get(keyOf(drain));
        underWay.delete(keyOf(drain));
        if (begun !== undefined) {
          ended += 1;
          longest.push({ drain, ...begun, to: now(), ok });
          if (longest.length >= 4 * keptDrains) keepLongest();
        }
        progress.drained(drain, ok);
      },
      publishing: (key) => {
        const at = now();
        published = { from: published?.from ?? at, to: at };
        const done = progress.publishing(key);
        return () => {
          if (published !== null) published = { ...published, to: now() };
          done();
        };
      },
    },
  };
}
