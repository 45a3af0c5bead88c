/** A terminal for tests: keeps what was written, and shows what a person would see. */
import { Writable } from 'node:stream';

export interface FakeTerminal extends Writable {
  readonly isTTY: boolean;
  readonly columns: number;
  /** All that was written. */
  readonly written: () => string;
  /** The lines as they stand on the screen. Knows the escapes that Node's readline and cli-progress write. */
  readonly screen: () => readonly string[];
}

export function fakeTerminal(options: { readonly isTTY: boolean; readonly columns: number }): FakeTerminal {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return Object.assign(stream, { ...options, written: () => text, screen: () => shown(text) });
}

const esc = '\u001b';
/** A command to the terminal, or a character. */
const tokens = new RegExp(`${esc}\\[[?\\d;]*[A-Za-z]|[^${esc}]`, 'gu');

function shown(text: string): readonly string[] {
  const lines: string[] = [''];
  let [y, x] = [0, 0];
  for (const [token] of text.matchAll(tokens)) {
    const count = Number(/\d+/.exec(token)?.[0] ?? 1);
    const line = lines[y] ?? '';
    if (token === '\n') {
      y += 1;
      x = 0;
      lines[y] ??= '';
    } else if (token.length === 1) {
      lines[y] = line.slice(0, x).padEnd(x) + token + line.slice(x + 1);
      x += 1;
    } else if (token.endsWith('G')) x = count - 1;
    else if (token.endsWith('A')) y = Math.max(0, y - count);
    else if (token.endsWith('K')) lines[y] = token === '\u001b[0K' ? line.slice(0, x) : '';
    else if (token.endsWith('J')) lines.splice(y, lines.length, line.slice(0, x));
    else if (!/[hlm]$/.test(token)) throw new Error(`unknown escape ${JSON.stringify(token)}`);
  }
  return lines.map((line) => line.trimEnd());
}
