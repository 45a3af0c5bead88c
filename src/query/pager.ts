/** Shows text that is longer or wider than the terminal in a pager. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import stringWidth from 'string-width';
import { writeOut } from '../shared/standard-output.ts';
import type { TerminalStream } from '../telemetry/screen.ts';

export interface PagerSurroundings {
  readonly stdout: TerminalStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborting ends the pager. */
  readonly signal: AbortSignal;
}

/** Flags: quit if everything fits, keep colours, do not wrap lines, leave the text on the screen. */
const standard = ['less', '-FRSX'] as const;

/** Exit codes of a shell for a command that it cannot find or run (POSIX, Shell Command Language, 2.8.2). */
const notRun: ReadonlySet<number | null> = new Set([126, 127]);

/** Shows the text; in $PAGER (default: less) if it does not fit the screen. Resolves when the pager is closed. */
export async function show(text: string, { stdout, env, signal }: PagerSurroundings): Promise<void> {
  const command = env.PAGER?.trim() ?? null;
  const wanted = stdout.isTTY === true && command !== '' && command !== 'cat';
  if (wanted && !fitsScreen(text, stdout) && (await paged(text, command, env, signal))) return;
  await writeOut(stdout, text);
}

function fitsScreen(text: string, { rows = 24, columns = 80 }: TerminalStream): boolean {
  const lines = text.trimEnd().split('\n');
  // The prompt that follows needs a line too.
  return lines.length < (rows || 24) && lines.every((line) => stringWidth(line) <= (columns || 80));
}

/**
 * @param command a shell command, as POSIX defines $PAGER; null: less
 * @returns false if the pager cannot be run
 */
async function paged(
  text: string,
  command: string | null,
  env: PagerSurroundings['env'],
  signal: AbortSignal,
): Promise<boolean> {
  const options = {
    env: { ...env, LESS: env.LESS ?? '-FRSX', LESSCHARSET: env.LESSCHARSET ?? 'utf-8' },
    stdio: ['pipe', 'inherit', 'inherit'] as ['pipe', 'inherit', 'inherit'],
  };
  const [less, flags] = standard;
  const child =
    command === null ? spawn(less, [flags], options) : spawn(command, { ...options, shell: true });
  const end = (): void => void child.kill();
  signal.addEventListener('abort', end);
  const giveBack = interruptsGoTo(child.pid);
  try {
    child.stdin.on('error', () => undefined);
    child.stdin.end(text);
    const [code] = await once(child, 'close');
    return !notRun.has(code);
  } catch {
    // The pager could not be started.
    return false;
  } finally {
    giveBack();
    signal.removeEventListener('abort', end);
  }
}

/** A terminal sends Ctrl-C to every foreground program. While a pager runs, only the pager should react. */
function interruptsGoTo(pager: number | undefined): () => void {
  if (pager === undefined) return () => undefined;
  const ours = process.listeners('SIGINT');
  const nothing = (): void => undefined;
  process.on('SIGINT', nothing);
  for (const listener of ours) process.off('SIGINT', listener);
  return () => {
    for (const listener of ours) process.on('SIGINT', listener);
    process.off('SIGINT', nothing);
  };
}
