/** What was typed at the prompt, kept in the user's state folder, for the user alone. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

export const historyLines = 1000;

/** The XDG base directory specification's place for such things (specifications.freedesktop.org/basedir-spec). */
export function historyFile(env: Readonly<Record<string, string | undefined>>): string {
  const state = env.XDG_STATE_HOME?.startsWith('/') ? env.XDG_STATE_HOME : join(homedir(), '.local', 'state');
  return join(state, 'backup-copy-export', 'query-history');
}

/** Newest first, as readline wants it; nothing when there is none that can be read. */
export async function readHistory(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .reverse()
    .slice(0, historyLines);
}

/** @param lines newest first. A history that cannot be kept is no reason to fail: then `false`. */
export async function writeHistory(file: string, lines: readonly string[]): Promise<boolean> {
  const text = lines
    .slice(0, historyLines)
    .toReversed()
    .map((line) => `${line}\n`)
    .join('');
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const fresh = `${file}.${process.pid}`;
    await writeFile(fresh, text, { mode: 0o600 });
    await rename(fresh, file);
    return true;
  } catch {
    return false;
  }
}
