/** What the program's exit codes mean. They follow sysexits.h, so that people can look them up.
 * Codes from 80 on are the program’s own: sysexits.h ends at 78. */
export const exitCodes = {
  0: 'success: every target was read and published, or no more of them failed than --fail-on allows',
  64: 'usage error: an option or an environment variable is wrong, or Node is too old',
  65: 'every target was read, but some records were rejected',
  66: 'data is lost for good: AWS deleted records before a run read them',
  69: 'no target could be read',
  70: 'internal error',
  74: 'input/output error: the lake, the scratch folder, a checkpoint or the result could not be read or written',
  75: 'temporary failure, a retry can help: targets were throttled, timed out, unreachable or never tried, or the run was interrupted; or status found a target at risk',
  76: 'AWS’s own counts differ from the lake by more than --fail-on-mismatch allows',
  77: 'a person must act: credentials are missing or refused, or targets deny access, lack the role, or are disabled',
  78: 'configuration error: the file that --config names is missing or invalid, or the Glue catalog does not match the lake',
  80: 'damage: verify found that the lake is not what its ledger says, or is still so after repair',
} as const;

export type ExitCode = keyof typeof exitCodes;
