/** Finds named questions, parses their parameters and lists them. */
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

/** Whether the text is a single word. No SQL query is. */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9][\w-]*$/.test(text.trim());
}

/** @throws UsageError for an unknown question, with a suggestion */
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
 * @param typed the values of parameters, as yargs parses them
 * @throws UsageError for an unknown question or an invalid value
 */
export function questionRequest(name: string, typed: Readonly<Record<string, unknown>>): QueryRequest {
  const question = findQuestion(name);
  const values: Record<string, string> = {};
  for (const [parameter, value] of Object.entries(typed)) {
    if (Array.isArray(value)) {
      throw new UsageError(`--${parameter} is set ${value.length} times`, 'Set it once.');
    }
    if (value === '' || value === true) {
      throw new UsageError(`--${parameter} has no value`, 'Write a value after it.');
    }
    values[parameter] = String(value);
  }
  return { sql: questionSql(question, values), lookBack: questionLookBack(question, values) };
}

/**
 * Parses `name --parameter value …`, as typed at the prompt. A value may be quoted, as in a shell.
 * @throws UsageError for an unknown question or an invalid value
 */
export function typedRequest(line: string): QueryRequest {
  const typed = yargs(line.trim().replace(/;$/, ''))
    .help(false)
    .version(false)
    .parserConfiguration(yargsParserRules)
    .parseSync();
  const { _: words, $0: _program, ...values } = typed;
  const [name = '', stray] = words.map(String);
  if (stray !== undefined) {
    throw new UsageError(
      `${JSON.stringify(stray)} is not a parameter of ${name}`,
      'Write each parameter as --name value.',
    );
  }
  return questionRequest(name, values);
}

/** One line per question, cut to the terminal's width. @param columns null without a terminal */
export function questionIndex(
  columns: number | null = null,
  questions: readonly Question[] = loadQuestions(),
): string {
  const widest = Math.max(...questions.map(({ name }) => name.length));
  const lines = questions.map(({ name, title }) => `${name.padEnd(widest)}  ${title}`);
  return `${lines.map((line) => (columns === null ? line : cliTruncate(line, columns))).join('\n')}\n`;
}

/** The name and title of a question, and how to read its result. */
export function questionHead({ name, title, about }: Question, columns: number): string {
  return `${wrapAnsi(`${name}: ${title}`, columns)}\n\n${wrapAnsi(about, columns - 2).replace(/^/gm, '  ')}\n`;
}

/** A parameter as it is typed, and its meaning. */
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
