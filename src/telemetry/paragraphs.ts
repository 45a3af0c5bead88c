/** Sentences for people, in lines that fit. Escapes of colours take no room. */
import stringWidth from 'string-width';
import { printable } from './printable.ts';

/** Each text from a line of its own on; the lines that it goes on in are indented. */
export function paragraphs(columns: number, texts: readonly string[]): string {
  return texts.map((text) => wrapped(text, columns - 2).join('\n  ')).join('\n');
}

/** A text from elsewhere, harmless, in lines of that indent. */
export function indented(text: string, indent: number, columns: number): readonly string[] {
  return wrapped(printable(text), columns - indent).map((line) => ' '.repeat(indent) + line);
}

/** Lines of at most `width` columns, broken at spaces only: a longer word (a path, an ARN) stays whole, to be copied. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line !== '' && stringWidth(line) + 1 + stringWidth(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** `1 target`, `1,234 targets`. */
export function count(n: number, noun: string): string {
  return `${grouped(n)} ${noun}${n === 1 ? '' : 's'}`;
}

export function grouped(n: number): string {
  return n.toLocaleString('en-US');
}

/** `a, b, c and 5 more`; all of them where only one would be left out. */
export function listSome(names: readonly string[], most: number): string {
  if (names.length <= most + 1) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${grouped(names.length - most)} more`;
}
