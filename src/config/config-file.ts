/** The configuration file of `--config`: JSON or YAML, one key per option, into plain words. */
import { parseDocument } from 'yaml';
import { ConfigError } from '../shared/errors.ts';
import { closest } from './closest-word.ts';
import type { Option, OptionKind } from './option.ts';
import { allOptionNames } from './options.ts';

/** What the file says about one option: its words, as if written on the command line. */
export type FileValues = ReadonlyMap<string, readonly string[]>;

export interface FileContent {
  readonly values: FileValues;
  /** Keys that are no options, and values of the wrong kind. */
  readonly problems: readonly ConfigError[];
}

/**
 * Reads the file's text. JSON is read as the YAML that it also is, so that a doubled key is an error in both.
 * @param table the options of the job that runs; those of other jobs are passed over
 * @throws ConfigError when the file as a whole cannot be read
 */
export function parseConfigFile(path: string, text: string, table: ReadonlyMap<string, Option>): FileContent {
  const document = parseDocument(text, { schema: 'core', uniqueKeys: true, prettyErrors: true });
  const problem = [...document.errors, ...document.warnings][0];
  if (problem) {
    const [message = ''] = problem.message.split('\n');
    throw new ConfigError(
      `Configuration file ${path} cannot be read: ${message.replace(/[.:]$/, '')}`,
      'Write JSON or YAML, one option per key.',
    );
  }
  const root: unknown = document.toJS({ mapAsMap: true });
  const values = new Map<string, readonly string[]>();
  const problems: ConfigError[] = [];
  if (root === null || root === undefined) return { values, problems };
  if (!(root instanceof Map)) {
    throw new ConfigError(
      `Configuration file ${path} holds no options`,
      'Write one option per key, such as lake: s3://bucket/prefix.',
    );
  }
  for (const [key, value] of root as ReadonlyMap<unknown, unknown>) {
    if (typeof key !== 'string' || !allOptionNames.has(key)) {
      const meant = closest(String(key), allOptionNames);
      problems.push(
        new ConfigError(
          `${JSON.stringify(key)} in the configuration file ${path} is not an option`,
          `${meant === null ? '' : `Did you mean ${meant}? `}Write options as on the command line without the dashes, such as role-name; --help lists them.`,
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
  if (typeof value === 'number' || typeof value === 'bigint') {
    return new ConfigError(
      `${where} holds a number where text belongs`,
      "Put quotes around it, such as '012345678901': without them a leading zero would be lost.",
    );
  }
  if (value === null) {
    return new ConfigError(`${where} is empty`, 'Give it a value, or remove the key.');
  }
  const wanted = {
    text: 'text in quotes',
    list: 'a list of texts, or one text with commas',
    integer: 'a whole number',
    switch: 'true or false',
  };
  return new ConfigError(`${where} holds a value of the wrong kind`, `Write ${wanted[kind]}.`);
}
