import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { optionsTable, withOptions } from '../../scripts/readme-options.ts';
import { optionNames } from '../../src/config/options.ts';

const markers = ['<!-- options: written by npm run readme -->', '<!-- end of options -->'] as const;

test('the table has a row for every option', () => {
  for (const name of optionNames) expect(optionsTable()).toMatch(new RegExp(`^\\| \`--${name}[ \`]`, 'm'));
});

test('only what stands between the markers is written anew', () => {
  const written = withOptions(`before\n${markers[0]}\nold\n${markers[1]}\nafter\n`);
  expect(written).toBe(`before\n${markers[0]}\n${optionsTable()}\n${markers[1]}\nafter\n`);
  expect(withOptions('no markers')).toBeNull();
});

test('the README is in step with the options', () => {
  const file = new URL('../../README.md', import.meta.url);
  const readme = existsSync(file) ? readFileSync(file, 'utf8') : '';
  expect(withOptions(readme) ?? readme).toBe(readme);
});
