/** Reads the configuration file of `--config`: JSON or YAML, one key per option. */
import { createRequire } from 'node:module';
import { ConfigError } from '../shared/errors.ts';
import { closestName } from './closest-name.ts';
import type { Option, OptionKind } from './option.ts';
import { allOptionNames } from './options.ts';

/** Each option in the file with its value as text, as it would be typed on the command line. */
export type FileValues = ReadonlyMap<string, readonly string[]>;

export interface FileContent {
  readonly values: FileValues;
  /** Keys that are not options, and values of the wrong type. */
  readonly problems: readonly ConfigError[];
}

/**
 * Parses the file's text. JSON is valid YAML, so one parser reads both and rejects duplicate keys in both.
 * @param table the options of the job that runs; options of other jobs are ignored
 * @throws ConfigError when the whole file is unreadable
 */
export function parseConfigFile(path: string, text: string, table: ReadonlyMap<string, Option>): FileContent {
  // Loaded here, because few runs have such a file, and the package consists of 70.
  const { parseDocument }: typeof import('yaml') = createRequire(import.meta.url)('yaml');
  const document = parseDocument(text, { schema: 'core', uniqueKeys: true, prettyErrors: true });
  const problem = [...document.errors, ...document.warnings][0];
  if (problem) {
    const [message = ''] = problem.message.split('\n');
    throw new ConfigError(
      `The configuration file ${path} cannot be parsed: ${message.replace(/[.:]$/, '')}`,
      'Write JSON or YAML, one option per key.',
    );
  }
  const root: unknown = document.toJS({ mapAsMap: true });
  const values = new Map<string, readonly string[]>();
  const problems: ConfigError[] = [];
  if (root === null || root === undefined) return { values, problems };
  if (!(root instanceof Map)) {
    throw new ConfigError(
      `The configuration file ${path} contains no options`,
      'Write one option per key, such as lake: s3://bucket/prefix.',
    );
  }
  for (const [key, value] of root as ReadonlyMap<unknown, unknown>) {
    if (typeof key !== 'string' || !allOptionNames.has(key)) {
      const meant = closestName(String(key), allOptionNames);
      problems.push(
        new ConfigError(
          `${JSON.stringify(key)} in the configuration file ${path} is not an option`,
          `${meant === null ? '' : `Did you mean ${meant}? `}Use the name of an option without its dashes, such as role-name; --help lists them.`,
        ),
      );
      continue;
    }
    const kind = table.get(key)?.kind;
    if (kind === undefined) continue;
    try {
      values.set(key, wordsOf(value, kind, `${key} in the configuration file ${path}`));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error);
    }
  }
  return { values, problems };
}

function wordsOf(value: unknown, kind: OptionKind, where: string): readonly string[] {
  if (typeof value === 'string') return [value];
  if (kind === 'integer' && typeof value === 'number') return [String(value)];
  if (kind === 'switch' && typeof value === 'boolean') return [String(value)];
  if (kind === 'list' && Array.isArray(value)) {
    return value.map((item) => {
      if (typeof item === 'string') return item;
      throw wrongKind(item, kind, where);
    });
  }
  throw wrongKind(value, kind, where);
}

function wrongKind(value: unknown, kind: OptionKind, where: string): ConfigError {
  if (kind !== 'switch' && (typeof value === 'number' || typeof value === 'bigint')) {
    return new ConfigError(
      `${where} is a number, but must be text`,
      "Put it in quotes, such as '012345678901'; without quotes, YAML drops a leading zero.",
    );
  }
  if (value === null) {
    return new ConfigError(`${where} is empty`, 'Give it a value, or remove the key.');
  }
  const wanted = {
    text: 'text in quotes',
    list: 'a list of texts, or one text with commas between items',
    integer: 'a whole number',
    switch: 'true or false',
  };
  return new ConfigError(`${where} has a value of the wrong type`, `Write ${wanted[kind]}.`);
}
