/** Collects each option from flags, environment and configuration file, and decides which layer wins. */
import { resolve } from 'node:path';
import { ConfigError, ReportedError, UsageError } from '../shared/errors.ts';
import { closestName } from './closest-name.ts';
import { parseConfigFile } from './config-file.ts';
import { InvalidValue } from './invalid-value.ts';
import type { Job, Option } from './option.ts';
import {
  allOptionNames,
  environmentName,
  environmentPrefix,
  type OptionName,
  type OptionValue,
  optionOf,
  tableOf,
} from './options.ts';

/** Where options come from. `flags` is what yargs parsed: text, or a list of texts when a flag was repeated. */
export interface OptionInput {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths start here. */
  readonly cwd: string;
  /** Reads a text file; throws like fs.readFileSync. */
  readonly readFile: (path: string) => string;
}

/** Where a value was set, strongest first. */
export type Layer = 'flag' | 'environment' | 'file';

export interface LayerValue {
  readonly layer: Layer;
  /** For messages: `--lake`, `BACKUP_COPY_EXPORT_LAKE`, `lake in the configuration file …`. */
  readonly where: string;
  readonly texts: readonly string[];
}

/** For each option, who gave it, strongest first. Options that nobody gave are missing. */
export type LayeredOptions = ReadonlyMap<string, readonly LayerValue[]>;

/**
 * Collects what flags, environment and configuration file say, and judges each value by itself.
 * @throws UsageError or ConfigError that names everything that is wrong, at once
 */
export function collectOptions(job: Job, input: OptionInput): LayeredOptions {
  const { layered, problems } = checkOptions(job, input);
  if (problems.length > 0) throw combineErrors(problems);
  return layered;
}

/** One error for all problems: a ConfigError only if every one of them is. */
export function combineErrors(problems: readonly ReportedError[]): ReportedError {
  const [first] = problems;
  if (first !== undefined && problems.length === 1) return first;
  const Class = problems.every((problem) => problem instanceof ConfigError) ? ConfigError : UsageError;
  const each = problems.map(({ message }) => message);
  const numbered = each.map((message, at) => `(${at + 1}) ${message}`).join(' ');
  return Object.assign(new Class(`${problems.length} options are wrong`, `Correct them: ${numbered}`), {
    each,
  });
}

/** What is given, and all that is wrong with it. */
export function checkOptions(
  job: Job,
  { flags, env, cwd, readFile }: OptionInput,
): { readonly layered: LayeredOptions; readonly problems: readonly ReportedError[] } {
  const layered = new Map<string, LayerValue[]>();
  const problems: ReportedError[] = [];
  const add = (name: string, one: LayerValue): void => {
    layered.set(name, [...(layered.get(name) ?? []), one]);
  };
  /** Records an error instead of stopping at it, so that one message names them all. */
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof ReportedError)) throw error;
      problems.push(error);
    }
  };
  const table = tableOf(job);
  for (const [name, { kind }] of table) {
    const flag = flags[name];
    if (flag === undefined) continue;
    const texts = (Array.isArray(flag) ? flag : [flag]).map(String);
    if (texts.length > 1 && kind !== 'list') {
      problems.push(new UsageError(`--${name} is set ${texts.length} times`, 'Set it once.'));
      continue;
    }
    add(name, { layer: 'flag', where: `--${name}`, texts });
  }
  const byVariable = new Map([...allOptionNames].map((name) => [environmentName(name), name]));
  const configVariable = environmentName('config');
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(environmentPrefix) || value === undefined || variable === configVariable)
      continue;
    const name = byVariable.get(variable);
    if (name === undefined) problems.push(unknownVariable(variable));
    else if (table.has(name)) add(name, { layer: 'environment', where: variable, texts: [value] });
  }
  attempt(() => {
    const path = configPath(flags.config, env[configVariable]);
    if (path === null) return;
    const absolute = resolve(cwd, path);
    const content = parseConfigFile(absolute, readConfig(absolute, readFile), table);
    problems.push(...content.problems);
    for (const [name, texts] of content.values) {
      add(name, { layer: 'file', where: `${name} in the configuration file ${absolute}`, texts });
    }
  });
  for (const [name, option] of table) {
    if (layered.has(name)) attempt(() => readValue(layered, name, option, cwd));
  }
  return { layered, problems };
}

function unknownVariable(variable: string): UsageError {
  const meant = closestName(variable.slice(environmentPrefix.length), allOptionNames);
  const advice =
    meant === null
      ? `Unset it, or correct its name; for --role-name it is ${environmentName('role-name')}`
      : `Did you mean ${environmentName(meant)}, for --${meant}? If not, unset it`;
  return new UsageError(
    `The environment variable ${variable} matches no option`,
    `${advice}. --help lists the options.`,
  );
}

function configPath(flag: unknown, variable: string | undefined): string | null {
  if (Array.isArray(flag)) throw new UsageError('--config is set more than once', 'Set it once.');
  if (flag === '' || (flag === undefined && variable === '')) {
    throw new UsageError(
      `${flag === '' ? '--config' : environmentName('config')} is empty`,
      'Set it to a JSON or YAML file, or remove it.',
    );
  }
  return typeof flag === 'string' ? flag : (variable ?? null);
}

function readConfig(path: string, readFile: OptionInput['readFile']): string {
  try {
    return readFile(path);
  } catch (error) {
    // Errors of the file system carry a code such as ENOENT; anything else has none.
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ConfigError(
      `The configuration file ${path} cannot be read (${code})`,
      'Check its path and permissions.',
      { cause: error },
    );
  }
}

/** The value of an option from the strongest layer that sets it; else its default; else null. */
export function readOption<N extends OptionName>(
  layered: LayeredOptions,
  name: N,
  cwd: string,
): OptionValue<N> | null {
  // The table's entry of this name is the one whose parse gives this type.
  return readValue(layered, name, optionOf(name) as Option<OptionValue<N>>, cwd);
}

/** Like readOption, for an option that is not in the main table. */
export function readValue<T>(
  layered: LayeredOptions,
  name: string,
  option: Option<T>,
  cwd: string,
): T | null {
  const [strongest] = layered.get(name) ?? [];
  const texts = strongest?.texts ?? (option.default === null ? null : [option.default]);
  if (texts === null) return null;
  try {
    if (strongest !== undefined && option.kind !== 'list') refuseSpaceAround(strongest.texts, option);
    return option.parse(split(option, texts), cwd);
  } catch (error) {
    if (!(error instanceof InvalidValue) || !strongest) throw error;
    const wrong = error.item === null ? texts : [error.item];
    const shown = option.secret ? 'its value' : wrong.map(shownWord).join(', ');
    const what = texts.every((word) => word === '') ? ' is empty' : `: ${shown} ${error.reason}`;
    const Class = strongest.layer === 'file' ? ConfigError : UsageError;
    throw new Class(`${strongest.where}${what}`, error.advice);
  }
}

/** A variable filled from a file or a secret often ends with a line feed. Lists need no check: their items are trimmed. */
function refuseSpaceAround(texts: readonly string[], { secret }: Option): void {
  const wrong = texts.find((word) => word !== '' && word !== word.trim());
  if (wrong === undefined) return;
  const right = wrong.trim();
  throw new InvalidValue(
    'begins or ends with a space or a line break',
    right === '' || secret ? 'Remove the space or line break.' : `Write ${shownWord(right)}.`,
  );
}

/** For messages: hides what precedes the @ in a URL, which may be a password. */
function shownWord(word: string): string {
  return JSON.stringify(word.replace(/(:\/\/)[^/]*@/g, '$1…@'));
}

/** The value of a required option. @throws UsageError when no layer sets it and it has no default */
function requireOption<N extends OptionName>(layered: LayeredOptions, name: N, cwd: string): OptionValue<N> {
  const found = readOption(layered, name, cwd);
  if (found !== null) return found;
  throw new UsageError(
    `--${name} is required`,
    `Add --${name} ${optionOf(name).sample}, set ${environmentName(name)}, or add ${name} to the configuration file (--config).`,
  );
}

/** Reads the options of one job. */
export interface OptionReader {
  /** The option's value or its default; null if it has neither. */
  optional<N extends OptionName>(name: N): OptionValue<N> | null;
  /** The option's value or its default. @throws UsageError if it has neither */
  required<N extends OptionName>(name: N): OptionValue<N>;
}

export function optionReader(layered: LayeredOptions, cwd: string): OptionReader {
  return {
    optional: (name) => readOption(layered, name, cwd),
    required: (name) => requireOption(layered, name, cwd),
  };
}

/** The items of a list without duplicates, in their order. */
function split(option: Option, texts: readonly string[]): readonly string[] {
  const items =
    option.kind === 'list' ? texts.flatMap((word) => word.split(',').map((item) => item.trim())) : texts;
  if (items.length === 0 || items.includes('')) {
    throw new InvalidValue(
      'has an empty item',
      option.kind === 'list'
        ? 'Separate items with single commas, or remove the option.'
        : 'Give it a value, or remove it.',
    );
  }
  return [...new Set(items)];
}

const layersByStrength: readonly Layer[] = ['flag', 'environment', 'file'];

/** Whether `a` was set in a stronger layer than `b`. */
export function strongerLayer(a: LayerValue, b: LayerValue): boolean {
  return layersByStrength.indexOf(a.layer) < layersByStrength.indexOf(b.layer);
}
