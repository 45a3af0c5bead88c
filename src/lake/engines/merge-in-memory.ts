/** A merge by the reference itself (merge.ts), with all rows in memory. */
import { MisplacedRows } from '../../shared/errors.ts';
import type { Row } from '../../tables/table.ts';
import { contradiction, dayColumn, outsideBucket, outsideDay, placementMetadata } from '../part-placement.ts';
import type { MergeOutcome, MergeRequest } from './engine.ts';
import { mergeRows } from './merge.ts';
import { footerOf, type OpenPart, openPart, readPart } from './part-reader.ts';
import { refuseNewerSchema } from './part-schema.ts';
import { stagedRows } from './staged-rows.ts';

/**
 * Opens the published part and checks what its footer says.
 * @throws EngineError; MisplacedRows
 */
export async function openPublished({
  table,
  partition,
  existing,
  placement,
}: MergeRequest): Promise<OpenPart | null> {
  const part = existing === null ? null : await openPart(existing);
  if (part === null) return null;
  if (placement !== undefined) {
    refuse(contradiction(placementMetadata(table, partition, placement), footerOf(part)));
  }
  refuseNewerSchema(table, part.columns, part.path);
  return part;
}

/**
 * Merges, and has the rows written if they changed.
 * @throws EngineError; MisplacedRows; what `write` throws
 */
export async function mergeInMemory(
  request: MergeRequest,
  part: OpenPart | null,
  write: (rows: readonly Row[]) => Promise<void>,
): Promise<MergeOutcome> {
  const { table, partition, latest } = request;
  const existing: Row[] = [];
  if (part !== null) {
    for await (const rows of readPart(part, table)) for (const row of rows) existing.push(row);
  }
  refuseMisplaced(request, existing);
  const staged: Row[] = [];
  for (const file of request.staged) {
    for await (const row of stagedRows(table, file)) staged.push(row);
  }
  const { rows, outcome, fate } = mergeRows(table, existing, staged, partition, latest);
  if (outcome.changed || request.always === true) await write(rows);
  return request.wantsFate === true ? { ...outcome, fate } : outcome;
}

function refuseMisplaced({ table, partition, placement }: MergeRequest, rows: readonly Row[]): void {
  const day = dayColumn(table);
  if (placement === undefined || day === null) return;
  let [first, last, without]: [number | null, number | null, number] = [null, null, 0];
  for (const row of rows) {
    const time = row[day.of];
    if (typeof time !== 'number') {
      without += 1;
      continue;
    }
    if (first === null || time < first) first = time;
    if (last === null || time > last) last = time;
  }
  refuse(outsideDay(table, partition[day.partition.name] ?? '', { first, last, without }));
  const accounts = new Set(
    rows.map(({ account_id: account }) => (typeof account === 'string' ? account : null)),
  );
  refuse(outsideBucket(accounts, placement));
}

function refuse(why: string | null): void {
  if (why !== null) throw new MisplacedRows(why);
}
