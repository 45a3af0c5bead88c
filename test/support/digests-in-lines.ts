/** The digests of staged lines, from the lines. What is made while a line is written has to be the same. */
import { createHash } from 'node:crypto';
import { unitOf } from '../../src/lake/line-digests.ts';
import { comparedColumns, type Table } from '../../src/tables/table.ts';
import { linesIn, rowIn } from './staged-rows.ts';

/** For each line: its unit, its key (a slice only), its digest, and its time (a slice only). @param bytes whole lines */
export function digestsInLines(table: Table, bytes: Uint8Array): readonly number[] {
  const { merge } = table;
  if (merge.kind === 'append') return [];
  return linesIn(bytes).flatMap((values) => {
    const row = rowIn(table, values);
    const unitIn = (names: readonly string[]) => unitOf(names.map((name) => row[name] ?? null));
    const time = typeof row.observed_at === 'number' ? row.observed_at : Number.NaN;
    const content = values.slice(0, comparedColumns(table).length).join(',');
    const sha256 = createHash('sha256').update(content).digest('hex');
    // 13 digits of 4 bits.
    const digest = Number.isNaN(time) ? Number.NaN : Number.parseInt(sha256.slice(0, 13), 16);
    if (merge.kind === 'upsert') return [unitIn(merge.key), digest];
    return [unitIn(merge.slice), unitIn(merge.key), digest, time];
  });
}
