/** Fills in a question's parameters: its SQL, and the days it reads. */
import { UsageError } from '../shared/errors.ts';
import type { Parameter } from './query-file.ts';
import type { Question } from './questions.ts';
import { withParameters } from './sql-tokens.ts';

/**
 * The question's SQL with a literal for every parameter: its value in `values`, or its default.
 * @throws UsageError for an unknown parameter or a value of the wrong type
 */
export function questionSql(
  question: Pick<Question, 'name' | 'parameters' | 'sql'>,
  values: Readonly<Record<string, string>> = {},
): string {
  const known = new Map(question.parameters.map((parameter) => [parameter.name, parameter]));
  const unknown = Object.keys(values).find((name) => !known.has(name));
  if (unknown !== undefined) {
    const names = [...known.keys()].map((name) => `--${name}`).join(', ');
    throw new UsageError(
      `The question ${question.name} has no parameter ${unknown}`,
      names === '' ? 'It has no parameters.' : `Its parameters are ${names}.`,
    );
  }
  const given = new Map(Object.entries(values));
  return withParameters(question.sql, (name) => {
    const parameter = known.get(name);
    if (parameter === undefined) throw new Error(`${question.name} uses :${name} without declaring it`);
    return literal(question.name, parameter, given.get(name) ?? parameter.default);
  });
}

/** How far back a question reads: every day of the lake, or this many days before the newest run. */
export type LookBack = 'every day' | number;

/** @throws UsageError as {@link questionSql} does */
export function questionLookBack(
  { name, parameters, reads }: Pick<Question, 'name' | 'parameters' | 'reads'>,
  values: Readonly<Record<string, string>> = {},
): LookBack {
  if (reads === 'every day') return reads;
  const parameter = parameters.find((one) => one.name === reads.parameter && one.type === 'integer');
  if (parameter === undefined) throw new Error(`${name} reads the days of a parameter that it does not have`);
  return Number(literal(name, parameter, values[parameter.name] ?? parameter.default)) + reads.more;
}

/** Up to five digits: as days, 273 years, so that dates stay in the range that sorts as text. */
const integer = /^\d{1,5}$/;
const control = /\p{Cc}/u;

function literal(question: string, { name, type }: Parameter, value: string): string {
  if (type === 'integer') {
    if (integer.test(value)) return String(Number(value));
    throw new UsageError(
      `--${name} of the question ${question} cannot be ${JSON.stringify(value)}`,
      'Write a whole number from 0 to 99999.',
    );
  }
  if (!control.test(value)) return `'${value.replaceAll("'", "''")}'`;
  throw new UsageError(
    `--${name} of the question ${question} contains a control character: ${JSON.stringify(value)}`,
    'Write one line of text.',
  );
}
