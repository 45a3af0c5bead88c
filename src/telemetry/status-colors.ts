/** Colours for statuses on a terminal. The status is always written out too, so nobody depends on colour. */
import { styleText } from 'node:util';
import type { CoverageStatus } from '../ledger/coverage.ts';

/** Colours text by a status; without text, the status itself. */
export type Paint = (status: CoverageStatus, text?: string) => string;

const colors: Readonly<Record<CoverageStatus, 'green' | 'yellow' | 'red'>> = {
  OK: 'green',
  OK_EMPTY: 'green',
  SKIPPED: 'yellow',
  INTERRUPTED: 'yellow',
  REJECTED_RECORDS: 'yellow',
  THROTTLED: 'yellow',
  TIMED_OUT: 'yellow',
  UNREACHABLE: 'yellow',
  REGION_DISABLED: 'red',
  ACCESS_DENIED: 'red',
  ASSUME_ROLE_FAILED: 'red',
  PUBLISH_FAILED: 'red',
  FAILED: 'red',
};

export function painter(color: boolean): Paint {
  if (!color) return (status, text = status) => text;
  return (status, text = status) => styleText(colors[status], text, { validateStream: false });
}

/**
 * Whether output to the stream is coloured. A terminal is, unless NO_COLOR is set (https://no-color.org) or TERM is
 * dumb; anything else is only with FORCE_COLOR (https://force-color.org). If both are set, NO_COLOR wins.
 */
export function usesColor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return !/^(?:0|false)$/.test(env.FORCE_COLOR);
  return stream.isTTY === true && env.TERM !== 'dumb';
}
