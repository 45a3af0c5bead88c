/** Errors for people when the file system refuses something. */
import { LakeError, ReportedError, ScratchError } from '../../shared/errors.ts';
import { LockTimeout } from '../file-lock.ts';
import { systemCode } from './durable-files.ts';

/** For a file or folder in scratch. A ScratchError stays as it is. */
export function scratchError(
  done: 'created' | 'written' | 'read',
  path: string,
  error: unknown,
): ScratchError {
  if (error instanceof ScratchError) return error;
  return new ScratchError(
    `${path} could not be ${done} (${describe(error)})`,
    'Set --scratch to a writable folder on a local disk with enough free space.',
    { cause: error },
  );
}

/**
 * For a file or folder of the lake. An error that is already worded for people stays as it is.
 * @param option that named the lake, or a copy of it
 */
export function fileError(
  done: 'opened' | 'read' | 'written' | 'listed',
  path: string,
  error: unknown,
  option = '--lake',
): ReportedError {
  if (error instanceof ReportedError) return error;
  return new LakeError(`${path} could not be ${done} (${describe(error)})`, adviceFor(error, option), {
    cause: error,
  });
}

function describe(error: unknown): string {
  return systemCode(error) ?? (error instanceof Error ? error.message : String(error));
}

function adviceFor(error: unknown, option: string): string {
  if (error instanceof LockTimeout) {
    return 'Another process holds the lock _ledger/lock in the lake. If that process hangs, end it, then run again.';
  }
  switch (systemCode(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `Give the user that runs this program read and write access to the folder of ${option}, or set ${option} to another folder.`;
    case 'ENOSPC':
    case 'EDQUOT':
      return 'Nothing was damaged. Free space on the lake’s disk (or raise the quota), then run again.';
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EEXIST':
      return `There is a file where a folder has to be, or a folder where a file has to be. Move it away, or set ${option} to another folder.`;
    case 'EMFILE':
    case 'ENFILE':
      return 'Raise the limit on open files (ulimit -n).';
    case 'ENOLCK':
    case 'ENOTSUP':
    case 'EOPNOTSUPP':
    case 'ENOSYS':
    case 'EINVAL':
      return 'The file system does not seem to support locking or syncing files. Put the lake on a local disk or on S3.';
    default:
      return 'Nothing was damaged. Check the disk of the lake, then run again.';
  }
}
