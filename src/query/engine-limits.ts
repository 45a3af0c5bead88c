/** Ends a running query at its time limit or when it is aborted. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { UnavailableError } from '../shared/errors.ts';

export interface QueryLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** @throws UnavailableError at the time limit or when the signal aborts */
export async function withinLimits<T>(
  connection: Pick<DuckDBConnection, 'interrupt'>,
  { timeoutMs, signal }: QueryLimits,
  work: () => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  const stop = AbortSignal.any([signal, late.signal]);
  // The engine ignores an interrupt that arrives before the query has begun, so it is repeated.
  let repeated: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    connection.interrupt();
    repeated ??= setInterval(() => connection.interrupt(), 50);
  };
  stop.addEventListener('abort', interrupt);
  try {
    if (stop.aborted) throw new Error('stopped before it began');
    const result = await work();
    // An interrupt simply ends the stream of rows, so the result may be incomplete.
    if (stop.aborted) throw new Error('stopped while its rows came');
    return result;
  } catch (error) {
    if (signal.aborted)
      throw new UnavailableError('The query was interrupted', 'Run it again.', { cause: error });
    if (late.signal.aborted) {
      throw new UnavailableError(
        `The query did not finish within ${timeoutMs / 1000} s`,
        'Raise --timeout, read fewer days with --from and --to, or select less.',
        { cause: error },
      );
    }
    throw error;
  } finally {
    clearTimeout(timer);
    clearInterval(repeated);
    stop.removeEventListener('abort', interrupt);
  }
}
