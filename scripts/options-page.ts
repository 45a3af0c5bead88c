/** docs/reference/options.md: every option of every job, from src/config/options.ts. */
import type { Option } from '../src/config/option.ts';
import {
  commonOptionNames,
  exportOptionNames,
  type OptionName,
  optionOf,
  ownOptionNames,
} from '../src/config/options.ts';
import { verifyOptions } from '../src/config/verify-options.ts';

function row(name: OptionName): string {
  return rowOf(name, optionOf(name));
}

function rowOf(name: string, { sample, default: standard, description }: Option): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const option = sample === '' ? `--${name}` : `--${name} ${sample}`;
  return `| \`${cell(option)}\` | ${standard === null ? '' : `\`${cell(standard)}\``} | ${cell(description)} |`;
}

function table(rows: readonly string[]): string {
  return ['| option | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

/** The options of a job that `export` does not have. */
function onlyOf(job: 'catalog' | 'query' | 'status' | 'repair' | 'rebucket'): string {
  return table(
    ownOptionNames(job)
      .filter((name) => !exportOptionNames.includes(name))
      .map(row),
  );
}

/** The page, in Markdown. */
export function optionsPage(): string {
  return `${[
    '# Options',
    'Written by `npm run reference` from `src/config/`; do not edit.',
    'Give an option as a flag, as an environment variable (`--role-name` is `BACKUP_COPY_EXPORT_ROLE_NAME`), or in a JSON or YAML file that you name with `--config`. Flags win over the environment, and the environment wins over the file. An option or variable that the program does not know is an error. In YAML, write account ids in quotes: without them, YAML drops a leading zero.',
    '`<command> --help` lists the options of one command. The options of `simulate` are in [simulate.md](simulate.md) and in `simulate --help`.',
    '## Every job',
    table(['| `--config FILE` | | Options from a file, JSON or YAML |', ...commonOptionNames.map(row)]),
    '## export and plan',
    '`catalog`, `query` and `status` take those of these options that concern the lake; `status` takes `--exclude-accounts` too.',
    table(exportOptionNames.map(row)),
    '## catalog',
    onlyOf('catalog'),
    '## query',
    onlyOf('query'),
    '## status',
    onlyOf('status'),
    '## verify',
    '`verify` takes those options of `export` that concern the lake, and `--public-key` and `--witness`.',
    table(Object.entries(verifyOptions).map(([name, option]) => rowOf(name, option))),
    '## repair',
    '`repair` takes those options of `export` that concern the lake and how it is encrypted, and `--public-key` and `--witness`.',
    onlyOf('repair'),
    '## rebucket',
    '`rebucket` takes those options of `export` that concern the lake and how it is encrypted, and `--buckets`, `--memory-limit` and `--scratch-limit`.',
    onlyOf('rebucket'),
  ].join('\n\n')}\n`;
}
