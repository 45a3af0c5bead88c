/** The program's log: pino, to stderr, in this process, so that the last line is never lost. */
import pino, { type Logger } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Telemetry } from '../config/settings.ts';
import { loggedError, scrubber, withoutSecrets } from '../shared/redact.ts';
import { printable } from './printable.ts';

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
  const pretty = format === 'pretty' ? prettyLine(color) : null;
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withoutSecrets },
      serializers: { err: (value: unknown) => (value instanceof Error ? loggedError(value) : value) },
    },
    {
      write: (line: string) => {
        // Once more over the whole line: pino gives the fields of a child log to no formatter of its parent.
        const fields = withoutSecrets(JSON.parse(scrub(line)));
        write(pretty ? pretty(fields) : `${JSON.stringify(fields)}\n`);
      },
    },
  );
}

function prettyLine(color: boolean): (fields: unknown) => string {
  const pretty = prettyFactory({
    colorize: color,
    colorizeObjects: false,
    singleLine: true,
    translateTime: 'UTC:yyyy-mm-dd HH:MM:ss"Z"',
    // A person reads the summary itself, on stdout.
    ignore: 'pid,hostname,summary',
  });
  return (fields) => pretty(printableFields(fields));
}

function printableFields(value: unknown, name = ''): unknown {
  if (typeof value === 'string') {
    return name === 'stack' ? value.split('\n').map(printable).join('\n') : printable(value);
  }
  if (Array.isArray(value)) return value.map((item) => printableFields(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [printable(key), printableFields(inner, key)]),
  );
}
