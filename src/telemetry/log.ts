/** The program's log: pino writes it synchronously, so the last line is never lost. */
import { createRequire } from 'node:module';
import pino, { type Logger } from 'pino';
import type { Telemetry } from '../config/settings.ts';
import { cleanTexts, loggedError, scrubber, withoutSecrets } from '../shared/redact.ts';
import { printable } from './printable.ts';

/**
 * Lines about a run, target, table or error have these fields: run_id, account_id, region, table, err.
 */
export type Log = Logger;

export interface LogOptions {
  readonly level: Telemetry['logLevel'];
  readonly format: 'json' | 'pretty';
  /** Colours, for `pretty`. */
  readonly color: boolean;
  /** Values that must never appear in a line. */
  readonly secrets: readonly string[];
  /** Takes one line with its line end. */
  readonly write: (line: string) => void;
}

/** Creates the log. Times are ISO 8601 in UTC; levels are names. */
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
        // Applied again to the whole line, because pino does not pass a child log's fields to its parent's formatter.
        const fields = cleanTexts(withoutSecrets(JSON.parse(line)), scrub);
        write(pretty ? pretty(fields) : `${JSON.stringify(fields)}\n`);
      },
    },
  );
}

function prettyLine(color: boolean): (fields: unknown) => string {
  // Loaded here: a log for machines does without it.
  const { prettyFactory }: typeof import('pino-pretty') = createRequire(import.meta.url)('pino-pretty');
  const pretty = prettyFactory({
    colorize: color,
    colorizeObjects: false,
    singleLine: true,
    translateTime: 'UTC:yyyy-mm-dd HH:MM:ss"Z"',
    // The summary is printed on stdout.
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
