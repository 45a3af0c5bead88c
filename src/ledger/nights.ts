/** The night that several shards share. The first shard that begins decides its as-of; the others take it over. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { clockToleranceMs } from '../aws/clock.ts';
import { nightKey } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { LakeError, UsageError } from '../shared/errors.ts';
import { dayMs } from '../shared/time.ts';

interface Night {
  readonly format: 1;
  readonly night: string;
  /** ISO 8601, UTC. */
  readonly as_of: string;
  readonly shards: number;
  readonly created_by_run: string;
}

/** A night is over by then. If each night had the same name, all would read up to the first one's as-of. */
export const longestNightMs = (20 / 24) * dayMs;

export interface NightTime {
  /** AWS's time, in milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/**
 * The as-of of the night, in milliseconds since the epoch: this run's, if it is the first. If the first shard's clock is ahead by
 * no more than clocks may differ, waits until it is that time here too: nobody claims to have read what is still to come.
 * @throws UsageError when the name belongs to an earlier night, or to one with another number of shards; LakeError; what `sleep`
 * rejects with when the signal is aborted
 */
export async function joinNight(
  store: Store,
  night: string,
  own: { readonly asOf: number; readonly shards: number; readonly runId: string },
  { now, sleep }: NightTime,
  { log, signal }: { readonly log: Pick<Logger, 'info' | 'warn'>; readonly signal: AbortSignal },
): Promise<number> {
  const key = nightKey(night);
  const begun: Night = {
    format: 1,
    night,
    as_of: new Date(own.asOf).toISOString(),
    shards: own.shards,
    created_by_run: own.runId,
  };
  const put = await store.put(
    {
      key,
      body: { bytes: Buffer.from(`${JSON.stringify(begun, null, 1)}\n`) },
      condition: { ifAbsent: true },
      writeId: randomUUID(),
      metadata: { 'run-id': own.runId },
      contentType: 'application/json',
    },
    signal,
  );
  if (put.written) return own.asOf;
  const found = parsed((await store.read(key, signal))?.bytes);
  if (found === null) {
    throw new LakeError(
      `${key} in ${store.url} is damaged, so this shard does not know the as-of of its night`,
      'Give the night another name with --night, the same one to all its shards.',
    );
  }
  if (found.shards !== own.shards) {
    throw new UsageError(
      `The night ${night} began with ${found.shards} shard${found.shards === 1 ? '' : 's'}, and this process is one of ${own.shards}`,
      'Give all shards of a night the same count, and each night a name of its own.',
    );
  }
  const age = own.asOf - found.asOf;
  if (Math.abs(age) > longestNightMs) {
    throw new UsageError(
      `The night ${night} began at ${new Date(found.asOf).toISOString()}, more than 20 hours ${age > 0 ? 'ago' : 'in the future'}`,
      'Give each night a name of its own, such as the name of its Kubernetes Job.',
    );
  }
  const aheadMs = found.asOf - now();
  if (aheadMs > clockToleranceMs) {
    log.warn(
      { night, begins: new Date(found.asOf).toISOString(), now: new Date(now()).toISOString() },
      'the night began in the future by the clock of this shard, which keeps an as-of of its own',
    );
    return own.asOf;
  }
  if (aheadMs > 0) log.info({ night, wait_ms: Math.ceil(aheadMs) }, 'waiting for the as-of of the night');
  // A timer may fire a little early.
  while (now() < found.asOf) await sleep(Math.ceil(found.asOf - now()), signal);
  return found.asOf;
}

function parsed(bytes: Uint8Array | undefined): { readonly asOf: number; readonly shards: number } | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
    if (typeof value !== 'object' || value === null || !('as_of' in value) || !('shards' in value))
      return null;
    const asOf = Date.parse(String(value.as_of));
    return Number.isNaN(asOf) || typeof value.shards !== 'number' ? null : { asOf, shards: value.shards };
  } catch {
    return null;
  }
}
