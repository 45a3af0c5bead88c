/**
 * A thread pool of libuv whose threads are all inside a system call that does not return, as when a file server does not
 * respond: each opens a named pipe that nobody writes to.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** @returns the path of a named pipe in this folder */
export function makePipe(folder: string): string {
  const pipe = join(folder, 'pipe');
  const { status, stderr } = spawnSync('mkfifo', [pipe], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mkfifo failed: ${stderr}`);
  return pipe;
}

/** Statements that leave the pool no thread. What is asked of it before is still done. */
export function stickPool(pipe: string): string {
  return `for (let i = 0; i < Number(process.env.UV_THREADPOOL_SIZE ?? 4); i++)
    process.getBuiltinModule('node:fs').open(${JSON.stringify(pipe)}, () => undefined);`;
}

/** What a program writes on stderr when its pool has no thread left. */
export const poolIsStuck = 'the pool is stuck';

/** A module for --import: from SIGUSR2 on, the pool has no thread. */
export function stuckAtSignal(pipe: string): string {
  const text = `process.once('SIGUSR2', () => {
    ${stickPool(pipe)}
    process.stderr.write('${poolIsStuck}\\n');
  });`;
  return `data:text/javascript,${encodeURIComponent(text)}`;
}
