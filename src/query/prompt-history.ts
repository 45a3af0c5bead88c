/** The prompt's history, saved in the user's state folder and readable only by the user. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

export const historyLines = 1000;

/** In the state folder of the XDG base directory specification (specifications.freedesktop.org/basedir-spec). */
export function historyFile(env: Readonly<Record<string, string | undefined>>): string {
  const state = env.XDG_STATE_HOME?.startsWith('/') ? env.XDG_STATE_HOME : join(homedir(), '.local', 'state');
  return join(state, 'backup-copy-export', 'query-history');
}

/** Newest first, as readline expects; empty if no history is readable. */
export async function readHistory(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .reverse()
    .slice(0, historyLines);
}

/** @param lines newest first. @returns false if the history cannot be saved, which is not worth failing for */
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
