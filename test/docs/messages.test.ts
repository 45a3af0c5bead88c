import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { exitCodes } from '../../src/shared/exit-codes.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(`${root}${file}`, 'utf8');

/** The program's texts, with those that go over several lines put together, and without comments. */
const program = globSync('src/**/*.ts', { cwd: root })
  .map(read)
  .join('\n')
  .replaceAll(/\/\*\*[\s\S]*?\*\/|^ *\/\/.*$/gm, '')
  .replaceAll(/['`] \+\s*['`]/g, '');

/**
 * The messages that a page quotes, as a reader searches for them: in the first column of a table that is headed “the
 * log says” or “the message”, and between quotation marks after “*The message:” or “*The warning:”.
 */
function quotedIn(page: string): readonly string[] {
  const tables = [
    ...page.matchAll(/^\| (?:the log says|the message) \|.*\n\| --- .*\n((?:\|.*\n)+)/gm),
  ].flatMap(([, rows = '']) => rows.split('\n').flatMap((row) => row.split('|')[1] ?? []));
  const named = [...page.matchAll(/^\*The (?:message|warning):[^*]+\*$/gm)].flatMap(([text]) =>
    [...text.matchAll(/"([^"]+)"/g)].flatMap(([, quote]) => quote ?? []),
  );
  return [...tables, ...named].map((text) => text.trim().replaceAll('\n', ' ')).filter((text) => text !== '');
}

test.each(['docs/operations.md', 'docs/recovery.md', 'docs/running.md'])(
  'the messages that %s quotes are those of the program',
  (page) => {
    const quoted = quotedIn(read(page));
    expect(quoted.length).toBeGreaterThan(2);
    const pieces = quoted
      .flatMap((text) => text.split('…').map((piece) => piece.trim()))
      .filter((piece) => piece !== '');
    expect(pieces.filter((piece) => !program.includes(piece))).toEqual([]);
  },
);

test('the summary that the README shows ends as one does today', () => {
  expect(read('README.md')).toContain(`\nExit code 0: ${exitCodes[0]}.\n`);
});
