/** What the staged rows of a part say, in digests: one for each job, or for each slice that is replaced as a whole. */
import type { Table } from '../tables/table.ts';
import { DigestTable } from './digest-table.ts';
import type { StagedLineDigests } from './kept-digests.ts';
import { digestBits, numbersPerLine } from './line-digests.ts';

export interface StagedDigests {
  /**
   * By unit (`unitOf`). NaN: the rows contradict each other, or have no observation time, so that only a merge can tell what
   * comes of them.
   */
  readonly digests: DigestTable;
  /** Different keys. */
  readonly rows: number;
  /** Whether each key has one row, and each slice comes from one drain. */
  readonly distinct: boolean;
  /** The latest time among `observed_at` and `first_observed_at`; null: none. */
  readonly latest: number | null;
}

/**
 * Null: they are not known, or the rows are never merged.
 * @param stagedRows about how many there are
 * @throws ScratchError
 */
export async function digestsOf(
  table: Table,
  staged: StagedLineDigests,
  stagedRows: number,
): Promise<StagedDigests | null> {
  const pieces = staged.pieces();
  if (pieces === null) return null;
  switch (table.merge.kind) {
    case 'upsert':
      return { ...(await digestsOfKeys(pieces, numbersPerLine(table), stagedRows)), latest: staged.latest };
    case 'replace-slice':
      return { ...(await digestsOfSlices(pieces, numbersPerLine(table))), latest: staged.latest };
    case 'append':
      return null;
  }
}

type WithoutTimes = Omit<StagedDigests, 'latest'>;

async function digestsOfKeys(
  pieces: AsyncIterable<Float64Array>,
  width: number,
  stagedRows: number,
): Promise<WithoutTimes> {
  const digests = new DigestTable(stagedRows);
  let lines = 0;
  for await (const entries of pieces) {
    for (let at = 0; at < entries.length; at += width) {
      lines += 1;
      const [unit = 0, digest = Number.NaN] = [entries[at], entries[at + 1]];
      const known = digests.get(unit);
      if (known !== digest) digests.set(unit, known === undefined ? digest : Number.NaN);
    }
  }
  return { digests, rows: digests.size, distinct: digests.size === lines };
}

/** The digest of a slice is the sum of those of its rows, which does not depend on their order. */
async function digestsOfSlices(pieces: AsyncIterable<Float64Array>, width: number): Promise<WithoutTimes> {
  const digests = new DigestTable();
  /** NaN: no time. */
  const observedAt = new DigestTable();
  const keys = new Set<number>();
  let lines = 0;
  let areOneDrainEach = true;
  for await (const entries of pieces) {
    for (let at = 0; at < entries.length; at += width) {
      lines += 1;
      const [unit = 0, key = 0, digest = Number.NaN, observed = Number.NaN] = entries.subarray(
        at,
        at + width,
      );
      keys.add(key);
      // Of several drains of a slice, the latest wins as a whole.
      const before = observedAt.get(unit);
      const isOneDrain = before === undefined || before === observed;
      if (!isOneDrain) areOneDrainEach = false;
      observedAt.set(unit, observed);
      digests.set(unit, ((digests.get(unit) ?? 0) + (isOneDrain ? digest : Number.NaN)) % 2 ** digestBits);
    }
  }
  return { digests, rows: keys.size, distinct: areOneDrainEach && keys.size === lines };
}
