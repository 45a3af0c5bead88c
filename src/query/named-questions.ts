/** The named questions as a person asks for them, and as they are listed. */
import cliTruncate from 'cli-truncate';
import wrapAnsi from 'wrap-ansi';
import yargs from 'yargs';
import { yargsParserRules } from '../config/argument-syntax.ts';
import { closestName } from '../config/closest-name.ts';
import type { Parameter } from '../questions/query-file.ts';
import { questionLookBack, questionSql } from '../questions/question-sql.ts';
import { loadQuestions, type Question } from '../questions/questions.ts';
import { UsageError } from '../shared/errors.ts';
import type { QueryRequest } from './write-result.ts';

/** One word, which no SQL is. */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9][\w-]*$/.test(text.trim());
}

/** @throws UsageError for a question there is not, with the nearest there is */
export function findQuestion(name: string, questions: readonly Question[] = loadQuestions()): Question {
  const wanted = name.trim().toLowerCase().replaceAll('_', '-');
  const found = questions.find((question) => question.name === wanted);
  if (found !== undefined) return found;
  const meant = closestName(
    wanted,
    questions.map((question) => question.name),
  );
  throw new UsageError(
    `There is no question ${JSON.stringify(name)}`,
    `${meant === null ? '' : `Did you mean ${meant}? `}query --list shows all questions. A single word is never read as SQL.`,
  );
}

/**
 * @param given values of parameters, as yargs reads them
 * @throws UsageError for a question there is not, and for values that it does not take
 */
export function questionRequest(name: string, given: Readonly<Record<string, unknown>>): QueryRequest {
  const question = findQuestion(name);
  const values: Record<string, string> = {};
  for (const [parameter, value] of Object.entries(given)) {
    if (Array.isArray(value)) {
      throw new UsageError(`--${parameter} is set ${value.length} times`, 'Set it once.');
    }
    if (value === '' || value === true) {
      throw new UsageError(`--${parameter} has no value`, 'Write one after it.');
    }
    values[parameter] = String(value);
  }
  return { sql: questionSql(question, values), lookBack: questionLookBack(question, values) };
}

/**
 * `name --parameter value …`, as it is typed at the prompt; a value may stand in quotes, as in a shell.
 * @throws UsageError for a question there is not, and for what is no value of its parameters
 */
export function typedRequest(line: string): QueryRequest {
  const typed = yargs(line.trim().replace(/;$/, ''))
    .help(false)
    .version(false)
    .parserConfiguration(yargsParserRules)
    .parseSync();
  const { _: words, $0: _program, ...given } = typed;
  const [name = '', stray] = words.map(String);
  if (stray !== undefined) {
    throw new UsageError(
      `${JSON.stringify(stray)} is no parameter of ${name}`,
      'Write --name value, for each parameter.',
    );
  }
  return questionRequest(name, given);
}

/** One line for each question; at a terminal none is broken. @param columns the terminal's; null: there is none */
export function questionIndex(
  columns: number | null = null,
  questions: readonly Question[] = loadQuestions(),
): string {
  const widest = Math.max(...questions.map(({ name }) => name.length));
  const lines = questions.map(({ name, title }) => `${name.padEnd(widest)}  ${title}`);
  return `${lines.map((line) => (columns === null ? line : cliTruncate(line, columns))).join('\n')}\n`;
}

/** Name, title, and how to read the answer. */
export function questionHead({ name, title, about }: Question, columns: number): string {
  return `${wrapAnsi(`${name}: ${title}`, columns)}\n\n${wrapAnsi(about, columns - 2).replace(/^/gm, '  ')}\n`;
}

/** A parameter as it is typed, and what it means. */
export function parameterWords({
  name,
  type,
  about,
  default: standard,
}: Parameter): readonly [string, string] {
  return [
    `--${name} ${type === 'integer' ? 'N' : 'TEXT'}`,
    `${about} (default: ${standard === '' ? 'none' : standard})`,
  ];
}
