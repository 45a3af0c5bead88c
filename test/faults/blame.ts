/** Whom the program's messages blame, and whom they must not: by what the scenario's cause really is. */
import type { LakeRow } from '../support/lake-reader.ts';
import type { Ended } from './exporter.ts';

/**
 * - `aws`: AWS refuses, stumbles or sends what nobody expects
 * - `way`: a proxy, a name server, a certificate or a wire between the program and AWS
 * - `aws-clock`: a time that AWS, or something in its name, says wrongly
 * - `own-clock`: the clock of the machine is wrong
 * - `process`: signals, streams and the surroundings of the process
 * - `lake`: what lies in the lake was changed
 * - `person`: somebody has to change a role, a policy or an option
 */
export type Cause = 'aws' | 'way' | 'aws-clock' | 'own-clock' | 'process' | 'lake' | 'person';

/** What is only said to a person who made a mistake. */
const blaming: readonly RegExp[] = [
  /check (the|your|its|these|those) (credentials|keys|access key)/i,
  /credentials (are|were) (wrong|refused|missing|bad)/i,
  /\baws (sso )?login\b|\blog in\b/i,
  /\bpermissions?\b/i,
  /\bAllow [a-z0-9]+:[A-Z]/,
  /\b(Let|make) the role\b|\blet it trust\b|\btrust policy\b/i,
  /--role-name|--external-id|--role-session-name/,
  /\bEnable the region\b/i,
  // "No IAM policy will help" blames nobody.
  /(?<!\bno )\bIAM\b(?! policy (will|can) help)/,
  /service control policy/i,
  /\b(Check|Correct) (--|AWS_)/,
  /\b(its|bucket) polic(y|ies)\b/i,
  /\bAWS_REGION (names|is in)\b/,
];

const blamingClock =
  /\b(clock|time) (of|on) this (machine|host|computer)|this (machine|host)['’]s (clock|time)|local clock/i;

/** Statuses that send a person to IAM or to an account's settings. */
const blamingStatuses = new Set(['ACCESS_DENIED', 'ASSUME_ROLE_FAILED', 'REGION_DISABLED']);
const blamingCodes = new Set([64, 77, 78]);

/** All that a person may read of a run: log lines, the summary, the coverage. Stacks of errors are not read. */
export function messagesOf(ended: Ended, coverage: readonly LakeRow[]): string[] {
  const lines = [...ended.stderr.split('\n'), ...ended.stdout.split('\n')].flatMap((line) => {
    try {
      return textsOf(JSON.parse(line));
    } catch {
      return [line];
    }
  });
  const told = coverage.flatMap(({ error_message: message }) =>
    typeof message === 'string' ? [message] : [],
  );
  return [...new Set([...lines, ...told])].filter((line) => line.trim() !== '');
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => (name === 'stack' ? [] : textsOf(inner)));
}

/** What is wrong with whom the run blames; `allowed` are sentences that this scenario may hold against a person. */
export function wrongBlame(
  cause: Cause,
  ended: Ended,
  coverage: readonly LakeRow[],
  allowed: readonly RegExp[] = [],
): string[] {
  if (cause === 'person') return [];
  const forbidden = [...blaming, ...(cause === 'own-clock' || cause === 'aws-clock' ? [] : [blamingClock])];
  const found = messagesOf(ended, coverage).flatMap((message) =>
    forbidden
      .filter((phrase) => phrase.test(message) && !allowed.some((one) => one.test(message)))
      .map(
        (phrase) => `blames a person (${phrase.source}) where the cause is ${cause}: ${shortened(message)}`,
      ),
  );
  if (cause === 'lake') return found;
  const statuses = new Set(
    coverage.map(({ status }) => String(status)).filter((status) => blamingStatuses.has(status)),
  );
  return [
    ...found,
    ...[...statuses].map((status) => `says ${status} where the cause is ${cause}`),
    ...(blamingCodes.has(ended.code ?? 0) ? [`exits with ${ended.code} where the cause is ${cause}`] : []),
  ];
}

export function shortened(text: string, length = 400): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
