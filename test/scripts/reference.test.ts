import { expect, test } from 'vitest';
import { optionsPage } from '../../scripts/options-page.ts';
import { pages, withExitCodes, writtenPage } from '../../scripts/reference.ts';
import { optionNames } from '../../src/config/options.ts';
import { exitCodes } from '../../src/shared/exit-codes.ts';

test.each(Object.entries(pages))(
  'docs/reference/%s is up to date; npm run reference writes it',
  async (name, text) => {
    expect(writtenPage(name)).toBe(await text());
  },
);

test('a page that is missing is an error', () => {
  expect(() => writtenPage('no-such-page.md')).toThrow('ENOENT');
});

test('the options page has a row for every option', () => {
  for (const name of optionNames) expect(optionsPage()).toMatch(new RegExp(`^\\| \`--${name}[ \`]`, 'm'));
});

test('the page of exit codes has a row for every code, and keeps what stands around the table', () => {
  const page = writtenPage('exit-codes.md');
  for (const [code, meaning] of Object.entries(exitCodes)) expect(page).toContain(`| ${code} | ${meaning} |`);
  const stale = page.replace(/^\| 0 \|.*$/m, '| 0 | something old |');
  expect(stale).not.toBe(page);
  expect(withExitCodes(stale)).toBe(page);
});

test('a page of exit codes without the place for the table is an error, never a page that is up to date', () => {
  const page = writtenPage('exit-codes.md');
  expect(() => withExitCodes(page.replace(/<!-- begin exit codes.*-->/, ''))).toThrow(
    'has no place for the codes',
  );
  expect(() => withExitCodes(page.replace('<!-- end exit codes -->', ''))).toThrow(
    'has no place for the codes',
  );
});
