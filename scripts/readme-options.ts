/** npm run readme: writes the README's table of options anew from src/config/options.ts, between its two markers. */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import {
  commonOptionNames,
  exportOptionNames,
  type OptionName,
  optionOf,
  ownOptionNames,
} from '../src/config/options.ts';

const begin = '<!-- options: written by npm run readme -->';
const end = '<!-- end of options -->';

function row(name: OptionName): string {
  const { sample, default: standard, description } = optionOf(name);
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const option = sample === '' ? `--${name}` : `--${name} ${sample}`;
  return `| \`${cell(option)}\` | ${standard === null ? '' : `\`${cell(standard)}\``} | ${cell(description)} |`;
}

const head = ['| option | default | what it says |', '| --- | --- | --- |'];

function onlyFor(job: 'catalog' | 'query'): readonly string[] {
  const names = ownOptionNames(job).filter((name) => !exportOptionNames.includes(name));
  return ['', `Only for \`${job}\`:`, '', ...head, ...names.map(row)];
}

/** The tables of all options, in Markdown: those of `export` and `plan`, then those that only others have. */
export function optionsTable(): string {
  return [
    ...head,
    ...exportOptionNames.map(row),
    '| `--config FILE` | | Options from a file, JSON or YAML |',
    ...commonOptionNames.map(row),
    ...onlyFor('catalog'),
    ...onlyFor('query'),
  ].join('\n');
}

/** The README with its table anew; null when it has no markers. */
export function withOptions(readme: string): string | null {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from === -1 || to < from) return null;
  return `${readme.slice(0, from + begin.length)}\n${optionsTable()}\n${readme.slice(to)}`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const file = new URL('../README.md', import.meta.url);
  const written = withOptions(readFileSync(file, 'utf8'));
  if (written === null) {
    process.stderr.write(
      `README.md has no place for the options. Put these lines in it:\n${begin}\n${end}\n`,
    );
    process.exitCode = 1;
  } else writeFileSync(file, written);
}
