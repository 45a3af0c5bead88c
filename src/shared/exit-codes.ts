/** What the program's exit status means; from sysexits.h, so that schedulers and people can look them up. */
export const exitCodes = {
  0: 'covered, within --fail-on',
  64: 'usage: a flag or an environment variable is wrong, or Node is too old',
  65: 'covered, but for records that were rejected',
  69: 'no target could be read',
  70: 'internal error',
  74: 'the lake, scratch, or the result could not be read or written',
  75: 'a retry can heal it: targets throttled, timed out, unreachable or not reached, or the run was interrupted',
  77: 'only a person can heal it: no or refused credentials, or targets denied, without role, or disabled',
  78: 'configuration: its file is missing or bad, or the Glue catalog is not as the lake needs it',
} as const;

export type ExitCode = keyof typeof exitCodes;
