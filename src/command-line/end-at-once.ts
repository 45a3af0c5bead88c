/**
 * Ends the program for certain, also while a file system does not respond. Imports nothing of the program, so that
 * src/cli.ts can use it before it loads the rest.
 */
import { accessSync, constants } from 'node:fs';

/**
 * Runs the listeners of `exit` and ends the process with this code. Where there is no execve, the listeners run twice.
 *
 * `process.exit` waits until all threads of libuv's pool have ended (`uv__threadpool_cleanup` in
 * https://github.com/libuv/libuv/blob/v1.x/src/threadpool.c), so a system call that does not return holds it forever.
 * A new program in the same process ends the threads first: execve(2).
 */
export function endAtOnce(code: number): never {
  process.exitCode = code;
  try {
    // `process.exit` calls the listeners, `process.execve` does not.
    process.emit('exit', code);
  } finally {
    giveStreamsBack();
    becomeProgramThatExits(code);
    process.exit(code);
  }
}

/** What an end of Node does, and execve does not: the terminal and the pipes belong to other programs, too. */
function giveStreamsBack(): void {
  for (const name of ['stdin', 'stdout', 'stderr'] as const) {
    try {
      // Safe: nothing of it has to be there.
      const stream = process[name] as object as BackToNormal;
      if (stream.isRaw === true) stream.setRawMode?.(false);
      // Not documented. It clears O_NONBLOCK, which all programs with the same pipe would see.
      stream._handle?.setBlocking?.(true);
    } catch {
      // The stream is closed.
    }
  }
}

/** The part of a standard stream that is used here. */
interface BackToNormal {
  readonly isRaw?: boolean;
  readonly setRawMode?: (raw: boolean) => unknown;
  readonly _handle?: { readonly setBlocking?: (blocking: boolean) => unknown } | null;
}

/** Whether a file or a host's name is still waited for, so that `process.exit` would wait for it, too. */
export function isPoolBusy(): boolean {
  // What else runs in the pool computes, and ends by itself.
  return process
    .getActiveResourcesInfo()
    .some((name) => /^(FSReq|CloseReq|GetAddrInfoReq|GetNameInfoReq)/.test(name));
}

/** Returns only where that cannot be done: on Windows, or if Node's file is gone. */
function becomeProgramThatExits(code: number): void {
  const { LD_LIBRARY_PATH } = process.env;
  try {
    // If execve fails, Node aborts: nodejs.org/api/process.html#processexecvefile-args-env
    accessSync(process.execPath, constants.X_OK);
    process.execve?.(
      process.execPath,
      [process.execPath, '--eval', `process.exit(${code})`],
      // Nothing but what Node may need to start: NODE_OPTIONS and its like could change what it does.
      LD_LIBRARY_PATH === undefined ? {} : { LD_LIBRARY_PATH },
    );
  } catch {
    // `process.exit` is what is left.
  }
}
