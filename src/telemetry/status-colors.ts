/** Colours for statuses, for a person at a terminal. The word always stands there too: colour only helps the eye. */
import { styleText } from 'node:util';
import type { CoverageStatus } from '../ledger/coverage.ts';

/** Colours a text by the status that it tells. */
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
 * Whether what is written to the stream may have colours: on a terminal, unless NO_COLOR (https://no-color.org), or a
 * terminal without any, says otherwise; elsewhere only with FORCE_COLOR (https://force-color.org). Where both are set,
 * NO_COLOR holds.
 */
export function usesColor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return !/^(?:0|false)$/.test(env.FORCE_COLOR);
  return stream.isTTY === true && env.TERM !== 'dumb';
}
