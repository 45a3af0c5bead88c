/** The second engine: pure JavaScript, for images where native code is not allowed. It merges parts in memory. */
import { rm } from 'node:fs/promises';
import pLimit from 'p-limit';
import { EngineError, MisplacedRows } from '../../shared/errors.ts';
import type { Row, Table } from '../../tables/table.ts';
import {
  contradiction,
  dayColumn,
  outsideBucket,
  outsideDay,
  partitionText,
  placementMetadata,
} from '../part-placement.ts';
import { bytesIn } from '../staged-files.ts';
import { type Engine, type MergeOutcome, type MergeRequest, stagedBytesOf } from './engine.ts';
import { mergeRows } from './merge.ts';
import { footerOf, openPart, readPart } from './part-reader.ts';
import { refuseNewerSchema } from './part-schema.ts';
import { rowGroupSize, writePart } from './part-writer.ts';

export interface ParquetjsLiteOptions {
  /** A part that would need more is refused before it is loaded. */
  readonly memoryLimitBytes: number;
}

export async function openParquetjsLite({ memoryLimitBytes }: ParquetjsLiteOptions): Promise<Engine> {
  const oneAtATime = pLimit(1);
  return {
    name: 'parquetjs-lite',
    merge: (request) => oneAtATime(() => merge(request, memoryLimitBytes)),
    close: () => oneAtATime(async () => {}),
  };
}

async function merge(request: MergeRequest, memoryLimitBytes: number): Promise<MergeOutcome> {
  const { table, partition, output, metadata } = request;
  await rm(output, { force: true });
  const part = request.existing === null ? null : await openPart(request.existing);
  if (part !== null && request.placement !== undefined) {
    refuse(contradiction(placementMetadata(table, partition, request.placement), footerOf(part)));
  }
  if (part !== null) refuseNewerSchema(table, part.columns, part.path);
  refuseTooLarge(request, await stagedBytesOf(request), part, memoryLimitBytes);

  const existing: Row[] = [];
  if (part !== null) {
    for await (const rows of readPart(part, table)) for (const row of rows) existing.push(row);
  }
  refuseMisplaced(request, existing);
  const staged: Row[] = [];
  for (const file of request.staged) {
    for await (const row of stagedRows(table, file)) staged.push(row);
  }
  const { rows, outcome: counts, fate } = mergeRows(table, existing, staged, partition, request.latest);
  const outcome = request.wantsFate === true ? { ...counts, fate } : counts;
  if (!outcome.changed && request.always !== true) return outcome;
  try {
    await writePart(table, rows, output, metadata);
  } catch (error) {
    await rm(output, { force: true });
    if (error instanceof EngineError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError(
      `The new part of ${partName(request)} cannot be written: ${reason}`,
      'Check whether the scratch disk is full (--scratch), then run again.',
      { cause: error },
    );
  }
  return outcome;
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

/**
 * Estimates the memory from the part's rows and the size of the staged files, before anything is loaded. The factors were
 * measured on copy_jobs. The estimate is for live objects; V8 may keep garbage beyond that, up to its own limit
 * (--max-old-space-size).
 */
function refuseTooLarge(
  request: MergeRequest,
  stagedBytes: number,
  part: { readonly rows: number } | null,
  limit: number,
): void {
  const columns = request.table.columns.length;
  const loaded = stagedBytes * 1.5 + (part?.rows ?? 0) * columns * 48;
  const expected = loaded + Math.min(loaded, rowGroupSize * columns * 128);
  if (expected <= limit) return;
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  throw new EngineError(
    `${partName(request)} is too large to merge in JavaScript: it needs about ${mebibytes(expected)} of memory, and the limit is ${mebibytes(limit)}`,
    'Use --engine duckdb, which can merge on disk. Or raise --memory-limit, or create a new lake with more --buckets.',
  );
}

async function* stagedRows(table: Table, file: string): AsyncGenerator<Row> {
  const known = new Set([...table.columns, ...table.partitions].map(({ name }) => name));
  for await (const line of linesOf(file)) {
    if (line === '') continue;
    // Safe: this program staged it as one object per row, and the writer checks the type of each value.
    const row = JSON.parse(line) as Row;
    const unknown = Object.keys(row).find((name) => !known.has(name));
    if (unknown !== undefined) {
      throw new EngineError(
        `A staged row of ${table.name} has a field without a column: ${unknown}`,
        'This is a bug in the program: please report it.',
      );
    }
    yield row;
  }
}

/** Splits only at line feeds. node:readline also splits at U+2028, which JSON texts may contain. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for await (const bytes of bytesIn(file)) {
    const lines = `${rest}${decoder.decode(bytes, { stream: true })}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest;
}

function partName({ table, partition }: MergeRequest): string {
  return `${table.name}/${partitionText(table, partition)}`;
}
