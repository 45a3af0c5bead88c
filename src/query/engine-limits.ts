/** Bounds on a running query: a time, and whoever says stop. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { UnavailableError } from '../shared/errors.ts';

export interface QueryLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** @throws UnavailableError when the time is over or the signal is given */
export async function withinLimits<T>(
  connection: Pick<DuckDBConnection, 'interrupt'>,
  { timeoutMs, signal }: QueryLimits,
  work: () => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  const stop = AbortSignal.any([signal, late.signal]);
  // The engine forgets an interruption that comes before the query has begun.
  let repeated: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    connection.interrupt();
    repeated ??= setInterval(() => connection.interrupt(), 50);
  };
  stop.addEventListener('abort', interrupt);
  try {
    if (stop.aborted) throw new Error('stopped before it began');
    const result = await work();
    // Rows that were streaming just end when the engine is interrupted: what came is no whole answer.
    if (stop.aborted) throw new Error('stopped while its rows came');
    return result;
  } catch (error) {
    if (signal.aborted)
      throw new UnavailableError('The query was interrupted', 'Ask it again.', { cause: error });
    if (late.signal.aborted) {
      throw new UnavailableError(
        `The query did not end within ${timeoutMs / 1000} s`,
        'Raise --timeout, name fewer days with --from and --to, or ask for less.',
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
