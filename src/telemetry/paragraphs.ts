/** Wraps text to the terminal's width. Colour codes do not count as width. */
import wrapAnsi from 'wrap-ansi';
import { printable } from './printable.ts';

/** Each text starts on its own line; its further lines are indented. */
export function paragraphs(columns: number, texts: readonly string[]): string {
  return texts.map((text) => wrapped(text, columns - 2).join('\n  ')).join('\n');
}

/** Text from outside the program, with control characters removed, wrapped and indented. */
export function indented(text: string, indent: number, columns: number): readonly string[] {
  return wrapped(printable(text), columns - indent).map((line) => ' '.repeat(indent) + line);
}

/** Lines of at most `width` columns, broken at spaces only: a longer word (a path, an ARN) stays whole, to be copied. */
function wrapped(text: string, width: number): readonly string[] {
  return wrapAnsi(text.trim().replace(/\s+/g, ' '), Math.max(1, width)).split('\n');
}

/** `1 target`, `1,234 targets`. */
export function count(n: number, noun: string, nouns = `${noun}s`): string {
  return `${grouped(n)} ${n === 1 ? noun : nouns}`;
}

export function grouped(n: number): string {
  return n.toLocaleString('en-US');
}

/** `a, b, c and 5 more`; the whole list if only one name would be left out. */
export function listSome(names: readonly string[], most: number): string {
  if (names.length <= most + 1) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${grouped(names.length - most)} more`;
}
