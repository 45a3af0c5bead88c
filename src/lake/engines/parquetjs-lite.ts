/** The second engine: pure JavaScript, for images where native code is not allowed. It merges parts in memory. */
import { rm } from 'node:fs/promises';
import pLimit from 'p-limit';
import { EngineError } from '../../shared/errors.ts';
import { partitionText } from '../part-placement.ts';
import { type Engine, type MergeOutcome, type MergeRequest, stagedBytesOf } from './engine.ts';
import { mergeInMemory, openPublished } from './merge-in-memory.ts';
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
  const { table, output, metadata } = request;
  await rm(output, { force: true });
  const part = await openPublished(request);
  refuseTooLarge(request, await stagedBytesOf(request), part, memoryLimitBytes);
  return await mergeInMemory(request, part, async (rows) => {
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
  });
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
    'Use --engine duckdb, which can merge on disk. Or raise --memory-limit, or run rebucket with more --buckets, which makes parts smaller.',
  );
}

function partName({ table, partition }: MergeRequest): string {
  return `${table.name}/${partitionText(table, partition)}`;
}
