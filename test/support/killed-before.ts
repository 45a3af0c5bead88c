/** A program that is killed at a step of its own: sure, where a kill from outside would have to meet an instant. */

/**
 * Node's arguments for a program that gets SIGKILL as it is about to rename its nth file to a path of this kind. On a
 * local lake an object takes its name so, one at a time: those before it have theirs, synced, and this one has none.
 */
export function killedBefore(path: RegExp, nth: number): readonly string[] {
  const hook = new URL('./kill-before-rename.ts', import.meta.url);
  hook.search = new URLSearchParams({ path: path.source, nth: String(nth) }).toString();
  return ['--import', hook.href];
}
