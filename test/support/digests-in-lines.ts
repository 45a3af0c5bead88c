/**
 * The digests of staged lines as earlier versions took them out of the lines. Lakes hold such digests, so what is made while
 * a line is written has to be the same.
 */
import { createHash } from 'node:crypto';
import { unitOf } from '../../src/lake/line-digests.ts';
import { stagedColumns } from '../../src/lake/staged-line.ts';
import { comparedColumns, type Row, type Table } from '../../src/tables/table.ts';

/** For each line: its unit, its key (a slice only), its digest, and its time (a slice only). */
export function digestsInLines(table: Table, lines: readonly Buffer[]): readonly number[] {
  const { merge } = table;
  if (merge.kind === 'append') return [];
  const compared = comparedColumns(table);
  const heads = stagedColumns(table)
    .filter((column) => !compared.includes(column))
    .map(({ name }) => `,${JSON.stringify(name)}:`);
  return lines.flatMap((line) => {
    const row: Row = JSON.parse(line.toString('utf8'));
    const unitIn = (names: readonly string[]) => unitOf(names.map((name) => row[name] ?? null));
    const { observed_at: observed, first_observed_at: first } = row;
    const time = typeof observed === 'number' ? Math.max(observed, Number(first ?? observed)) : Number.NaN;
    // One character for each byte.
    const text = line.toString('latin1');
    const ends = heads.map((head) => text.indexOf(head)).filter((at) => at >= 0);
    const content = line.subarray(0, Math.min(text.length, ...ends));
    const sha256 = createHash('sha256').update(content).digest('hex');
    // 13 digits of 4 bits.
    const digest = Number.isNaN(time) ? Number.NaN : Number.parseInt(sha256.slice(0, 13), 16);
    if (merge.kind === 'upsert') return [unitIn(merge.key), digest];
    return [unitIn(merge.slice), unitIn(merge.key), digest, time];
  });
}

/** @param bytes whole lines */
export function linesIn(bytes: Buffer): readonly Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at);
    lines.push(bytes.subarray(at, end));
    at = end + 1;
  }
  return lines;
}
