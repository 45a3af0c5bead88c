/** Turns the engine's errors into errors with advice. */
import {
  EngineError,
  LakeError,
  PartChangedError,
  ReportedError,
  ScratchError,
  UsageError,
} from '../shared/errors.ts';

/** The engine's messages about a wrong query begin with one of these. */
const badQuery =
  /^(?:Parser|Syntax|Binder|Catalog|Conversion|Out of Range|Mismatch Type|Invalid Type|Not implemented|Permission|Decimal|Divide by Zero|Invalid Input|Expression|Parameter Not Allowed|Parameter Not Resolved|Sequence) Error: /i;

/** @param lake for messages */
export function describeEngineError(error: unknown, lake: string, memoryLimitBytes: number): unknown {
  if (error instanceof ReportedError || !(error instanceof Error)) return error;
  const message = firstParagraph(error.message);
  if (isChangedPart(error)) {
    return new LakeError(
      `A part of ${lake} could not be read: ${message}`,
      'If an export just replaced it, run the query again; otherwise restore its earlier version.',
      { cause: error },
    );
  }
  if (/max_temp_directory_size/.test(error.message)) {
    return new ScratchError(
      'The query needs more memory than --memory-limit, and more scratch space than --scratch-limit',
      'Raise one of the two, read fewer days with --from and --to, or select less.',
      { cause: error },
    );
  }
  if (/^Out of Memory/i.test(message)) {
    return new EngineError(
      `The query needs more memory than ${Math.round(memoryLimitBytes / 2 ** 20)} MiB: ${message}`,
      'Raise --memory-limit, read fewer days with --from and --to, or select less.',
      { cause: error },
    );
  }
  if (badQuery.test(message)) {
    return new UsageError(
      `The query failed: ${message}`,
      'DESCRIBE copy_jobs lists the columns of a table; SHOW TABLES lists all tables and views.',
      { cause: error },
    );
  }
  if (/^IO Error/i.test(message)) {
    return new LakeError(
      `The query failed on ${lake}: ${message}`,
      'Check whether the disk of --scratch is full, and whether the lake’s files are readable.',
      { cause: error },
    );
  }
  return error;
}

/** Whether the engine ran out of memory or scratch space, so that a smaller query may succeed. */
export function isOutOfResources(error: unknown): boolean {
  const message = error instanceof Error ? error.message : '';
  return /^Out of Memory/i.test(message) || message.includes('max_temp_directory_size');
}

/**
 * Whether the engine could not read a part that was listed, so that listing again may help. DuckDB treats a missing file
 * as a folder, and reports that access to it is denied.
 */
export function isChangedPart(error: unknown): boolean {
  if (error instanceof PartChangedError) return true;
  const message = error instanceof Error ? error.message : '';
  return (
    /\.parquet\b/.test(message) &&
    /^(?:IO|Permission|Invalid Input|Invalid|Serialization|Corrupt\w*) Error|TProtocolException|magic bytes/i.test(
      message,
    )
  );
}

/** Drops the lines that point an arrow at the error. */
function firstParagraph(message: string): string {
  const [first = message] = message.split(/\n\s*\n?LINE \d+:/);
  return first.trim().replace(/[.!?]$/, '');
}
