/** Parts that have grown so large that readers do not fetch them in one request. */
import type { Logger } from 'pino';

/**
 * Trino's default for files that it fetches in one request (trino.io/docs/current/object-storage/file-formats.html,
 * parquet.small-file-threshold); larger ones it fetches in ranges.
 */
const smallFileBytes = 3 * 2 ** 20;

/** A part that readers fetch in ranges may be torn when it is replaced meanwhile. */
export function warnOfLargeParts(
  written: readonly { readonly key: string; readonly bytes: number }[],
  log: Pick<Logger, 'warn'>,
): void {
  const large = written.filter(({ bytes }) => bytes > smallFileBytes);
  const [largest] = [...large].sort((a, b) => b.bytes - a.bytes);
  if (largest === undefined) return;
  log.warn(
    { parts: large.length, largest: largest.key, bytes: largest.bytes },
    'parts are so large that engines fetch them in ranges: do not query them while a run publishes, and give a new lake more --buckets',
  );
}
