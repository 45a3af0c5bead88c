import { describe, expect, test } from 'vitest';
import { optionsPage } from '../../scripts/options-page.ts';
import { exitCodesTable, faultsTable, pages, withTable, writtenPage } from '../../scripts/reference.ts';
import { optionNames } from '../../src/config/options.ts';

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

describe.each([exitCodesTable, faultsTable])('the table of $what in $page', (part) => {
  const page = writtenPage(part.page);

  test('has every row, and the page keeps what stands around it', () => {
    for (const cells of part.rows) expect(page).toContain(`| ${cells.join(' | ')} |`);
    const stale = page.replace(`| ${part.rows[0]?.join(' | ')} |`, '| something | old |');
    expect(stale).not.toBe(page);
    expect(withTable(part, stale)).toBe(page);
  });

  test('cannot be lost: a page without its marks is an error, never a page that is up to date', () => {
    for (const mark of [/<!-- begin .*-->/, /<!-- end .*-->/]) {
      expect(() => withTable(part, page.replace(mark, ''))).toThrow(`has no place for the ${part.what}`);
    }
  });
});
