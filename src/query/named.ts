/** The named questions as a person asks for them, and as they are listed. */
import { distance } from 'fastest-levenshtein';
import { UsageError } from '../errors.ts';
import { questionLookBack, questionSql } from '../questions/question-sql.ts';
import { loadQuestions, type Question } from '../questions/questions.ts';
import type { Asked } from './answer.ts';

/** One word, which no SQL is. */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9][\w-]*$/.test(text.trim());
}

/** @throws UsageError for a question there is not, with the nearest there is */
export function findQuestion(name: string, questions: readonly Question[] = loadQuestions()): Question {
  const wanted = name.trim().toLowerCase().replaceAll('_', '-');
  const found = questions.find((question) => question.name === wanted);
  if (found !== undefined) return found;
  const [nearest] = questions
    .map((question) => ({ name: question.name, away: distance(question.name, wanted) }))
    .sort((a, b) => a.away - b.away);
  const meant =
    nearest !== undefined && nearest.away <= Math.max(2, wanted.length / 2)
      ? `Did you mean ${nearest.name}? `
      : '';
  throw new UsageError(
    `There is no question ${JSON.stringify(name)}`,
    `${meant}query --list shows all; SQL is more than one word.`,
  );
}

/** @throws UsageError for a question there is not, and for values that it does not take */
export function askedQuestion(name: string, values: Readonly<Record<string, string>>): Asked {
  const question = findQuestion(name);
  return { sql: questionSql(question, values), lookBack: questionLookBack(question, values) };
}

/** `name --parameter value …`, as it is typed at the prompt; null when the line is no such thing. */
export function typedQuestion(line: string): Asked | null {
  const words = line.trim().replace(/;$/, '').trim().split(/\s+/);
  const [name = '', ...rest] = words;
  if (!isName(name)) return null;
  const values: Record<string, string> = {};
  for (let at = 0; at < rest.length; at += 1) {
    const [, parameter, attached] = /^--([a-z][a-z0-9_]*)(?:=(.*))?$/.exec(rest[at] ?? '') ?? [];
    if (parameter === undefined) return null;
    if (attached === undefined) at += 1;
    const value = attached ?? rest[at];
    if (value === undefined) throw new UsageError(`--${parameter} has no value`, 'Write one behind it.');
    values[parameter] = value;
  }
  return askedQuestion(name, values);
}

export function questionList(questions: readonly Question[] = loadQuestions()): string {
  return questions
    .map(({ name, title, about, parameters }) =>
      [
        `${name}: ${title}`,
        wrapped(about),
        ...parameters.map(
          (parameter) =>
            `    --${parameter.name} ${parameter.type === 'integer' ? 'N' : 'TEXT'}  ${parameter.about} (default: ${parameter.default})`,
        ),
      ].join('\n'),
    )
    .join('\n\n')
    .concat('\n');
}

function wrapped(text: string): string {
  return text.replace(/(\S.{0,96})(?:\s+|$)/g, '  $1\n').trimEnd();
}
