/** How long copies exist, reckoned by hand: a copy is as old as its source, and only signs tell how old that is. */
import { type Copy, day, type Facts, hour, isGood } from './facts.ts';

export interface Life {
  /** The first sign of the source: it was made then or before. */
  readonly sourceBefore: number;
  /** Whether a plan's backup job made the source shortly before some sign of it. */
  readonly isScheduled: boolean;
  /** The copy is gone at this time or before; null: nobody knows. */
  readonly latestEnd: number | null;
  /** @param window hours that the backup of a plan may have taken */
  readonly protection: (window: number) => 'kept' | 'may_be_gone' | 'unknown' | 'gone';
}

/** What AWS allows a plan's backup by default: 8 hours to start, 7 days to complete. */
export const usualWindow = 8 + 7 * 24;

export function livesIn({ now, leaves }: Pick<Facts, 'now' | 'leaves'>): (copy: Copy) => Life {
  const source = (copy: Copy) => arnIn(copy, 'source_recovery_point_arn');
  const product = (copy: Copy) => arnIn(copy, 'destination_recovery_point_arn');
  const jobsFrom = listed(leaves, (copy) => {
    const arn = source(copy);
    return arn?.includes(':recovery-point:continuous') ? null : arn;
  });
  const made = listed(leaves.filter(isGood), product);
  return (copy) => {
    const from = source(copy);
    const makers = at(made, from);
    const signs = [copy, ...at(jobsFrom, from), ...makers, ...at(made, firstInOrder(makers.map(anySource)))];
    const sourceBefore = Math.min(...signs.map(({ created }) => created));
    const isScheduled = signs.some((sign) => sign.told('created_by_backup_job_id') !== null);
    const days = Number(copy.told('destination_recovery_point_lifecycle_delete_after_days') ?? -1);
    const latestEnd = days > 0 && days < 100_000 ? sourceBefore + days * day : null;
    const endsByEvent = copy.told('destination_recovery_point_lifecycle_delete_after_event') !== null;
    return {
      sourceBefore,
      isScheduled,
      latestEnd,
      protection: (window) => {
        if (latestEnd === null) return 'unknown';
        if (latestEnd <= now) return 'gone';
        const earliestEnd = isScheduled && !endsByEvent ? latestEnd - window * hour : now;
        return earliestEnd > now ? 'kept' : 'may_be_gone';
      },
    };
  };
}

function arnIn(copy: Copy, column: string): string | null {
  const text = copy.told(column);
  return typeof text === 'string' && text.startsWith('arn:') ? text : null;
}

const anySource = (copy: Copy): string | null => {
  const text = copy.told('source_recovery_point_arn');
  return text === null ? null : String(text);
};

function firstInOrder(texts: readonly (string | null)[]): string | null {
  const known = texts.filter((text) => text !== null);
  return known.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))[0] ?? null;
}

function listed(copies: readonly Copy[], arnOf: (copy: Copy) => string | null): Map<string, Copy[]> {
  const found = new Map<string, Copy[]>();
  for (const copy of copies) {
    const arn = arnOf(copy);
    if (arn !== null) found.set(arn, [...(found.get(arn) ?? []), copy]);
  }
  return found;
}

function at(copies: ReadonlyMap<string, Copy[]>, arn: string | null): readonly Copy[] {
  return arn === null ? [] : (copies.get(arn) ?? []);
}
