/**
 * The errors a person may see. Each message has three parts: what happened, to which target, key or
 * option, and what the person can do. Each class ends the program with its own exit code.
 */
import type { ExitCode } from './exit-codes.ts';

abstract class ReportedError extends Error {
  abstract readonly exitCode: ExitCode;
  readonly advice: string;
  /** Where several things are wrong: each of them, as the message has them. */
  readonly each: readonly string[] = [];

  /** @param what what happened and to what, without a full stop; @param advice what the person can do */
  constructor(what: string, advice: string, options?: ErrorOptions) {
    super(`${what}. ${advice}`, options);
    this.name = new.target.name;
    this.advice = advice;
  }
}

export { ReportedError };

/** A flag or an environment variable is not as it should be. */
export class UsageError extends ReportedError {
  readonly exitCode = 64;
}

/** The configuration file is missing, unreadable, or holds what is not an option. */
export class ConfigError extends ReportedError {
  readonly exitCode = 78;
}

/** The lake could not be read or written. */
export class LakeError extends ReportedError {
  readonly exitCode = 74;
}

/** A part went away or was replaced while it was read: a fresh listing may help. */
export class PartChangedError extends LakeError {}

/** A symbolic link lies where a local lake has a folder or an object. */
export class LinkError extends LakeError {}

/** Local scratch space could not be read or written, or is used up. */
export class ScratchError extends ReportedError {
  readonly exitCode = 74;
}

/** The result could not be written to stdout, and it is all that the job gives. */
export class OutputError extends ReportedError {
  readonly exitCode = 74;
}

/** A part could not be merged: unreadable, or too large for the memory limit. */
export class EngineError extends ReportedError {
  readonly exitCode = 74;
}

/** A part holds rows that do not belong where it lies. */
export class MisplacedRows extends EngineError {
  readonly why: string;

  /** @param why as a clause: `it holds …` */
  constructor(why: string) {
    super(`A part is damaged: ${why}`, 'Restore its earlier version (docs/recovery.md).');
    this.why = why;
  }
}

/** No credentials, or refused ones, at the very start; or discovery refused. Only a person can heal it. */
export class AccessError extends ReportedError {
  readonly exitCode = 77;
}

/** Discovery could not reach AWS, or was throttled for too long. A retry can heal it. */
export class UnavailableError extends ReportedError {
  readonly exitCode = 75;
}

/** A role could not be assumed; becomes a target's ASSUME_ROLE_FAILED. */
export class AssumeRoleError extends ReportedError {
  readonly exitCode = 77;
}

/**
 * The Glue catalog is not as the lake needs it, and no program may decide what becomes of that. It is
 * configuration, and a person's: sysexits.h has one code for that.
 */
export class CatalogError extends ReportedError {
  readonly exitCode = 78;
}
