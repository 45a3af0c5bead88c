/** A limit on the memory of a command and its children, by a control group: the kernel ends what needs more. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface MemoryLimit {
  /** How it is set, for the report. */
  readonly how: string;
  /** The command that starts `command` under the limit. */
  around(command: readonly string[]): readonly string[];
  remove(): void;
}

/** Null where this process may not make control groups: it takes root, or a systemd of the user. */
export function memoryLimit(bytes: number): MemoryLimit | null {
  return byHand(bytes) ?? bySystemd(bytes);
}

/**
 * Version 2 has one tree, version 1 one for memory alone
 * (docs.kernel.org/admin-guide/cgroup-v2.html, docs.kernel.org/admin-guide/cgroup-v1/memory.html).
 */
function byHand(bytes: number): MemoryLimit | null {
  const root = '/sys/fs/cgroup';
  const version2 = existsSync(join(root, 'cgroup.controllers'));
  const folder = join(version2 ? root : join(root, 'memory'), `backup-copy-export-bench-${process.pid}`);
  const file = version2 ? 'memory.max' : 'memory.limit_in_bytes';
  try {
    mkdirSync(folder);
    writeFileSync(join(folder, file), String(bytes));
    if (Number(readFileSync(join(folder, file), 'utf8')) !== bytes) throw new Error('the limit did not stay');
  } catch {
    if (existsSync(folder)) rmdirSync(folder);
    return null;
  }
  return {
    how: `control group, version ${version2 ? 2 : 1}`,
    around: (command) => [
      'sh',
      '-c',
      `echo $$ > ${join(folder, 'cgroup.procs')} && exec "$@"`,
      'sh',
      ...command,
    ],
    remove: () => rmdirSync(folder),
  };
}

function bySystemd(bytes: number): MemoryLimit | null {
  const words = [
    'systemd-run',
    '--user',
    '--scope',
    '--quiet',
    '-p',
    `MemoryMax=${bytes}`,
    '-p',
    'MemorySwapMax=0',
    '--',
  ];
  const [first = '', ...rest] = [...words, 'true'];
  if (spawnSync(first, rest).status !== 0) return null;
  return { how: 'systemd-run', around: (command) => [...words, ...command], remove: () => undefined };
}
