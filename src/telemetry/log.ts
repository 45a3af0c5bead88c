/** The program's log: pino, to stderr, in this process, so that the last line is never lost. */
import pino, { type Logger } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Telemetry } from '../settings.ts';
import { printable } from './printable.ts';
import { loggedError, scrubber, withoutSecrets } from './redact.ts';

/**
 * The log. Lines that concern them carry these fields, by these names: run_id, account_id, region, table,
 * and `err` for an error.
 */
export type Log = Logger;

export interface LogOptions {
  readonly level: Telemetry['logLevel'];
  readonly format: 'json' | 'pretty';
  /** Colours, for `pretty`. */
  readonly color: boolean;
  /** Values that may never appear in a line. */
  readonly secrets: readonly string[];
  /** Takes one line with its line end. */
  readonly write: (line: string) => void;
}

/** Makes the log. Times are ISO 8601 in UTC, levels are names. */
export function createLog({ level, format, color, secrets, write }: LogOptions): Log {
  const scrub = scrubber(secrets);
  const finish = format === 'pretty' ? prettyLine(color) : (line: string): string => line;
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withoutSecrets, bindings: withoutSecrets },
      serializers: { err: (value: unknown) => (value instanceof Error ? loggedError(value) : value) },
    },
    { write: (line: string) => write(finish(scrub(line))) },
  );
}

function prettyLine(color: boolean): (line: string) => string {
  const pretty = prettyFactory({
    colorize: color,
    colorizeObjects: false,
    singleLine: true,
    translateTime: 'UTC:yyyy-mm-dd HH:MM:ss"Z"',
    ignore: 'pid,hostname',
  });
  return (line) => {
    const safe: unknown = JSON.parse(line, (name, value: unknown) => {
      if (typeof value !== 'string') return value;
      return name === 'stack' ? value.split('\n').map(printable).join('\n') : printable(value);
    });
    return pretty(safe);
  };
}
