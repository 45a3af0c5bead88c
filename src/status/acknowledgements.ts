/** What people have said they know to be lost. Each acknowledgement is an object of its own, and none is ever replaced. */
import { randomUUID } from 'node:crypto';
import { acknowledgedPrefix, acknowledgementKey } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { writeOnce } from '../lake/write-once.ts';
import { watermarkName } from '../ledger/watermarks.ts';
import { type Interval, union, without } from './intervals.ts';
import type { LostInterval } from './status-report.ts';

interface Acknowledgement {
  readonly format: 1;
  /** ISO 8601. */
  readonly at: string;
  /** The user and host, and the AWS identity where it is known. */
  readonly by: string;
  readonly losses: readonly {
    readonly table: string;
    readonly account_id: string;
    readonly region: string;
    readonly lost_from: string;
    readonly lost_to: string;
  }[];
}

export interface Acknowledged {
  readonly last: { readonly at: string; readonly by: string } | null;
  /** Whether every moment of the loss was acknowledged. `drain`: from `nameOf`. */
  readonly includes: (drain: string, loss: Interval) => boolean;
}

export const nothingAcknowledged: Acknowledged = { last: null, includes: () => false };

export async function readAcknowledged(
  store: Store,
  now: number,
  signal: AbortSignal,
): Promise<Acknowledged> {
  const byDrain = new Map<string, Interval[]>();
  let last: Acknowledged['last'] = null;
  for await (const key of store.list(acknowledgedPrefix, {}, signal)) {
    const object = await store.read(key, signal);
    const record = object === null ? null : parsed(object.bytes);
    if (record === null || Date.parse(record.at) > now) continue;
    if (last === null || record.at > last.at) last = { at: record.at, by: record.by };
    for (const { table, account_id: accountId, region, lost_from: from, lost_to: to } of record.losses) {
      const name = watermarkName(table, accountId, region);
      const known = byDrain.get(name) ?? [];
      byDrain.set(name, known);
      known.push({ from: Date.parse(from), to: Date.parse(to) });
    }
  }
  const sets = new Map([...byDrain].map(([name, intervals]) => [name, union(intervals)]));
  return { last, includes: (drain, loss) => without(loss, sets.get(drain) ?? []).length === 0 };
}

/** @throws LakeError if the record cannot be written */
export async function acknowledge(
  store: Store,
  losses: readonly LostInterval[],
  { at, by }: { readonly at: number; readonly by: string },
  signal: AbortSignal,
): Promise<void> {
  const id = randomUUID();
  const record: Acknowledgement = {
    format: 1,
    at: new Date(at).toISOString(),
    by,
    losses: losses.map(({ table, account_id, region, from, to }) => ({
      table,
      account_id,
      region,
      lost_from: from,
      lost_to: to,
    })),
  };
  const body = { bytes: Buffer.from(`${JSON.stringify(record, null, 1)}\n`) };
  const key = acknowledgementKey(at, id);
  await writeOnce(store, { key, body, runId: id, contentType: 'application/json' }, signal);
}

/** Null for anything else: it acknowledges nothing, so its losses are still told. */
function parsed(bytes: Uint8Array): Acknowledgement | null {
  try {
    const record: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    // Safe: every field that is used is checked below.
    const { format, at, by, losses } = record as Partial<Acknowledgement>;
    const isWhole =
      format === 1 && typeof at === 'string' && !Number.isNaN(Date.parse(at)) && typeof by === 'string';
    return isWhole && Array.isArray(losses) && losses.every(isLoss) ? { format, at, by, losses } : null;
  } catch {
    return null;
  }
}

function isLoss(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { table, account_id, region, lost_from, lost_to } = value as Readonly<Record<string, unknown>>;
  return (
    [table, account_id, region].every((text) => typeof text === 'string') &&
    [lost_from, lost_to].every((time) => typeof time === 'string' && !Number.isNaN(Date.parse(time)))
  );
}
