/** What the engine says went wrong, as errors for people. */
import {
  EngineError,
  LakeError,
  PartChangedError,
  ReportedError,
  ScratchError,
  UsageError,
} from '../shared/errors.ts';

/** What is wrong with the words of a query, by the first words of the engine's message. */
const badQuery =
  /^(?:Parser|Syntax|Binder|Catalog|Conversion|Out of Range|Mismatch Type|Invalid Type|Not implemented|Permission|Decimal|Divide by Zero|Invalid Input|Expression|Parameter Not Allowed|Parameter Not Resolved|Sequence) Error: /i;

/** @param lake for messages */
export function describeEngineError(error: unknown, lake: string, memoryLimitBytes: number): unknown {
  if (error instanceof ReportedError || !(error instanceof Error)) return error;
  const message = firstParagraph(error.message);
  if (isChangedPart(error)) {
    return new LakeError(
      `A part of ${lake} could not be read: ${message}`,
      'If it was replaced meanwhile, ask again; else restore its earlier version.',
      { cause: error },
    );
  }
  if (/max_temp_directory_size/.test(error.message)) {
    return new ScratchError(
      'The query needs more memory than --memory-limit, and more scratch than --scratch-limit leaves',
      'Raise one of both, name fewer days with --from and --to, or ask for less.',
      { cause: error },
    );
  }
  if (/^Out of Memory/i.test(message)) {
    return new EngineError(
      `The query needs more memory than ${Math.round(memoryLimitBytes / 2 ** 20)} MiB: ${message}`,
      'Raise --memory-limit, name fewer days with --from and --to, or ask for less.',
      { cause: error },
    );
  }
  if (badQuery.test(message)) {
    return new UsageError(
      `The query cannot be run: ${message}`,
      'DESCRIBE copy_jobs shows a table’s columns, SHOW TABLES all tables and views.',
      { cause: error },
    );
  }
  if (/^IO Error/i.test(message)) {
    return new LakeError(
      `The query could not be run over ${lake}: ${message}`,
      'Look whether the disk of --scratch is full, and whether the lake’s files can be read.',
      { cause: error },
    );
  }
  return error;
}

/**
 * Whether the engine could not read a part that it had found: a fresh listing may help. One that is gone it takes for a
 * folder, and then refuses to look into it.
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

/** Without the lines that draw an arrow under the place. */
function firstParagraph(message: string): string {
  const [first = message] = message.split(/\n\s*\n?LINE \d+:/);
  return first.trim().replace(/[.!?]$/, '');
}
