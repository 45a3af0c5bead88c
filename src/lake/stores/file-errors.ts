/** What a file system says when it refuses: to which file, and what a person can do. */
import { LakeError, ReportedError, ScratchError } from '../../shared/errors.ts';
import { LockTimeout } from '../file-lock.ts';
import { systemCode } from './durable-files.ts';

/** A file in scratch. */
export function scratchProblem(done: 'written' | 'read', file: string, error: unknown): ScratchError {
  return new ScratchError(
    `${file} could not be ${done} (${describe(error)})`,
    'Give --scratch a folder that is writable and has more room.',
    { cause: error },
  );
}

/** A file or folder of the lake. What is already explained stays as it is. */
export function fileProblem(
  done: 'opened' | 'read' | 'written' | 'listed',
  path: string,
  error: unknown,
): ReportedError {
  if (error instanceof ReportedError) return error;
  return new LakeError(`${path} could not be ${done} (${describe(error)})`, adviceFor(error), {
    cause: error,
  });
}

function describe(error: unknown): string {
  return systemCode(error) ?? (error instanceof Error ? error.message : String(error));
}

function adviceFor(error: unknown): string {
  if (error instanceof LockTimeout) {
    return 'Another process holds the lock _ledger/lock in the lake: end it if it hangs, then run again.';
  }
  switch (systemCode(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'Let the user that runs this program read and write the lake’s folder, or name another with --lake.';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'Make room on the lake’s disk (or raise the quota), then run again: nothing was damaged.';
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EEXIST':
      return 'A file lies where the lake needs a folder, or the reverse: move it away, or name another --lake.';
    case 'EMFILE':
    case 'ENFILE':
      return 'Raise the limit of open files (ulimit -n).';
    case 'ENOLCK':
    case 'ENOTSUP':
    case 'EOPNOTSUPP':
    case 'ENOSYS':
    case 'EINVAL':
      return 'The file system seems not to lock or sync files: put the lake on a local disk, or on S3.';
    default:
      return 'Check the disk that the lake lies on, then run again: nothing was damaged.';
  }
}
