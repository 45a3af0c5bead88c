/** What time it is for a job that does not ask AWS: by the store's clock, which is AWS's on S3; else by this machine's. */
import type { Store } from './store.ts';

export interface StoreTime {
  /** For messages: `the clock of this machine`. */
  readonly who: string;
  /** Milliseconds since the epoch. */
  readonly epochMs: number;
}

export function storeTime(store: Pick<Store, 'lastSeen'>, localNow: () => number): StoreTime {
  const seen = store.lastSeen?.() ?? null;
  if (seen === null) return { who: 'the clock of this machine', epochMs: localNow() };
  return { who: seen.who, epochMs: Math.round(seen.epochMs + performance.now() - seen.at) };
}
