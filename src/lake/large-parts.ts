/** Warns of parts that are too large for readers to fetch in one request. */
import type { Logger } from 'pino';

/**
 * Up to this size Trino fetches a file in one request by default (trino.io/docs/current/object-storage/file-formats.html,
 * parquet.small-file-threshold). It fetches larger files in ranges.
 */
const smallFileBytes = 3 * 2 ** 20;

/** If a part is replaced while a reader fetches it in ranges, the reader may get a mix of both versions. */
export function warnOfLargeParts(
  written: readonly { readonly key: string; readonly bytes: number }[],
  log: Pick<Logger, 'warn'>,
): void {
  const large = written.filter(({ bytes }) => bytes > smallFileBytes);
  const [largest] = [...large].sort((a, b) => b.bytes - a.bytes);
  if (largest === undefined) return;
  log.warn(
    { parts: large.length, largest: largest.key, bytes: largest.bytes },
    'some parts are so large that engines fetch them in ranges: do not query them while a run publishes, or run rebucket with more --buckets',
  );
}
