/** The log of a job, on this process's stderr. */
import type { Telemetry } from '../config/settings.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { usesColor } from '../telemetry/status-colors.ts';

export interface JobLog {
  readonly log: Log;
  readonly format: 'json' | 'pretty';
}

/**
 * @param settings the job's; its external id never appears in the log, nor do the caller's AWS secrets
 * @param write takes one log line with its line end
 */
export function openJobLog(
  { logLevel: level, logFormat }: Telemetry,
  { externalId }: { readonly externalId: string | null },
  env: Readonly<Record<string, string | undefined>>,
  write: (line: string) => void,
): JobLog {
  const automatic = process.stderr.isTTY === true ? 'pretty' : 'json';
  const format = logFormat === 'auto' ? automatic : logFormat;
  const color = usesColor(process.stderr, env);
  return { log: createLog({ level, format, color, secrets: secretsIn(externalId, env), write }), format };
}

function secretsIn(
  externalId: string | null,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const { AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_CONTAINER_AUTHORIZATION_TOKEN } = env;
  return [externalId, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_CONTAINER_AUTHORIZATION_TOKEN].filter(
    (one) => typeof one === 'string',
  );
}
