/**
 * The errors that people see. Each message has three parts: what happened, to which target, key or option, and what to
 * do about it. Each class has an exit code.
 */
import type { ExitCode } from './exit-codes.ts';

abstract class ReportedError extends Error {
  abstract readonly exitCode: ExitCode;
  readonly advice: string;
  /** If several things are wrong: each of them, worded as in the message. */
  readonly each: readonly string[] = [];

  /** @param what what happened and to what, without a full stop; @param advice what to do about it */
  constructor(what: string, advice: string, options?: ErrorOptions) {
    super(`${what}. ${advice}`, options);
    this.name = new.target.name;
    this.advice = advice;
  }
}

export { ReportedError };

/** An option or an environment variable is wrong. */
export class UsageError extends ReportedError {
  readonly exitCode = 64;
}

/** The configuration file is missing or unreadable, or contains something that is not an option. */
export class ConfigError extends ReportedError {
  readonly exitCode = 78;
}

/** The lake could not be read or written. */
export class LakeError extends ReportedError {
  readonly exitCode = 74;
}

/** A part disappeared or was replaced while it was being read. A new listing may help. */
export class PartChangedError extends LakeError {}

/** A local lake contains a symbolic link where a folder or an object belongs. */
export class LinkError extends LakeError {}

/** An object is complete, but its SHA-256 is not the one that its metadata names. */
export class AlteredObjectError extends LakeError {
  /** Of the object as it is; null: unknown. */
  readonly etag: string | null;

  constructor(what: string, advice: string, etag: string | null = null) {
    super(what, advice);
    this.etag = etag;
  }
}

/** A newer program wrote the lake. */
export class NewerLakeError extends LakeError {}

/** The scratch folder could not be read or written, or is full. */
export class ScratchError extends ReportedError {
  readonly exitCode = 74;
}

/** The result could not be written to stdout, and the job has no other result. */
export class OutputError extends ReportedError {
  readonly exitCode = 74;
}

/** A part could not be merged: it is unreadable, or too large for the memory limit. */
export class EngineError extends ReportedError {
  readonly exitCode = 74;
}

/** A part contains rows that belong to another part. */
export class MisplacedRows extends EngineError {
  readonly why: string;

  /** @param why a clause: `it contains …` */
  constructor(why: string) {
    super(`A part is damaged: ${why}`, 'Restore its earlier version (docs/recovery.md).');
    this.why = why;
  }
}

/** Credentials are missing or refused at the start, or discovery was denied. A retry cannot help. */
export class AccessError extends ReportedError {
  readonly exitCode = 77;
}

/** AWS could not be reached, or throttled the requests for too long. A retry can help. */
export class UnavailableError extends ReportedError {
  readonly exitCode = 75;
}

/** A role could not be assumed. The target's status becomes ASSUME_ROLE_FAILED. */
export class AssumeRoleError extends ReportedError {
  readonly exitCode = 77;
}

/**
 * The Glue catalog does not match the lake, and a person must decide what to do. It counts as configuration, for which
 * sysexits.h has a code.
 */
export class CatalogError extends ReportedError {
  readonly exitCode = 78;
}
