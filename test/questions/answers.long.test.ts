/** Every view and question, asked with DuckDB of lakes that the real export made, against what the truth says. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daysBefore } from '../../src/query/day-range.ts';
import { questionLookBack, questionSql } from '../../src/questions/question-sql.ts';
import { loadQuestions, loadViews, type Question } from '../../src/questions/questions.ts';
import { questionAnswer, questionAnswers, viewAnswer, viewAnswers } from '../support/answers/answers.ts';
import { differencesOf, inAnyOrder } from '../support/answers/compare.ts';
import { type Asked, type InDuckDb, openInDuckDb } from '../support/answers/duckdb.ts';
import type { Answer, Facts } from '../support/answers/facts.ts';
import { play, stories } from '../support/answers/labs.ts';
import type { Lab } from '../support/lab.ts';

const questions = loadQuestions();
const views = loadViews();
const portableTypes = new Set([
  'VARCHAR',
  'BIGINT',
  'BOOLEAN',
  'DOUBLE',
  'DECIMAL(38,0)',
  'TIMESTAMP_MS',
  'TIMESTAMP',
]);

/** Values to ask with besides the defaults: the shortest spans, at which bounds show. */
const otherValues = [
  { days: '0' },
  { days: '1' },
  { days: '3' },
  { days: '500' },
  { hours: '0' },
  { state: 'RUNNING' },
];
const seen = new Map<string, number>();
const table: { question: string; lab: string; duckdb: number; truth: number; equal: boolean }[] = [];

afterAll(() => console.table(table));

describe.each(Object.keys(stories))('a lake of the story “%s”', (name) => {
  let lab: Lab;
  let facts: Facts;
  let duckdb: InDuckDb;
  const answers = new Map<string, Promise<Asked>>();
  /** The lake from such a day on. */
  const cuts = new Map<string, Promise<InDuckDb>>();

  /** What the whole lake answers, asked once: through the views with the default values. */
  function askOnce(question: Question, values: Readonly<Record<string, string>>): Promise<Asked> {
    const sql = questionSql(question, values);
    const ask = Object.keys(values).length === 0 ? duckdb.ask : duckdb.askTables;
    const answer = answers.get(sql) ?? ask(sql);
    answers.set(sql, answer);
    return answer;
  }

  function lakeFrom(day: string): Promise<InDuckDb> {
    const cut = cuts.get(day) ?? openInDuckDb(lab.lake, day);
    cuts.set(day, cut);
    return cut;
  }

  beforeAll(async () => {
    const story = stories[name];
    if (story === undefined) throw new Error(`there is no story ${name}`);
    ({ lab, facts } = await play(story));
    duckdb = await openInDuckDb(lab.lake);
  }, 300_000);

  afterAll(async () => {
    for (const cut of await Promise.all(cuts.values())) cut.close();
    duckdb?.close();
    await lab?.close();
  });

  it('holds the whole truth about copies', async () => {
    expect((await lab.differences()).filter((line) => line.startsWith('copy_jobs'))).toEqual([]);
  });

  it.each(views.map((view) => view.name))('answers the view %s as the truth does', async (view) => {
    const asked = await duckdb.ask(`SELECT * FROM ${view}`);
    expect(asked.types.filter((type) => !portableTypes.has(type))).toEqual([]);
    const expected = viewAnswer(view)(facts, asked.columns);
    note(view, name, asked.rows, expected);
    expect(differencesOf(inAnyOrder(asked.rows), inAnyOrder(expected))).toEqual([]);
    // These nights lose nothing; test/questions/lost-intervals.test.ts has lakes that do.
    if (view === 'lost_intervals') expect(asked.rows).toEqual([]);
    else expect(asked.rows.length).toBeGreaterThan(0);
  });

  it.each(questions.map((question) => [question.name, question] as const))(
    'answers the question %s as the truth does, to the row and in order',
    async (_, question) => {
      for (const values of [{}, ...otherValues.filter((some) => fits(question, some))]) {
        const asked = await askOnce(question, values);
        expect(asked.types.filter((type) => !portableTypes.has(type))).toEqual([]);
        const expected = questionAnswer(question.name)(facts, valuesFor(question, values));
        if (Object.keys(values).length === 0) note(question.name, name, asked.rows, expected);
        expect(differencesOf(asked.rows, expected)).toEqual([]);
        seen.set(question.name, (seen.get(question.name) ?? 0) + asked.rows.length);
      }
    },
  );

  it.each(questions.map((question) => [question.name, question] as const))(
    'answers the question %s out of no other days than it says it reads',
    async (_, question) => {
      const newest = new Date(facts.now).toISOString().slice(0, 10);
      for (const values of [{}, ...otherValues.filter((some) => fits(question, some))]) {
        const lookBack = questionLookBack(question, values);
        if (lookBack === 'every day') continue;
        const cut = await lakeFrom(daysBefore(newest, lookBack).from);
        const { rows } = await cut.ask(questionSql(question, values));
        expect(differencesOf(rows, (await askOnce(question, values)).rows)).toEqual([]);
      }
    },
  );
});

it('every question had something to answer in one of the stories', () => {
  // No story loses anything; test/questions/lost-intervals.test.ts and the odd copies do.
  expect(questions.filter((question) => !seen.get(question.name)).map((question) => question.name)).toEqual([
    'lost-days',
  ]);
});

it('every question and view has an independent answer', () => {
  expect(Object.keys(questionAnswers).sort()).toEqual(questions.map((question) => question.name).sort());
  expect(Object.keys(viewAnswers).sort()).toEqual(views.map((view) => view.name).sort());
});

function fits(question: Question, values: Readonly<Record<string, string>>): boolean {
  return Object.keys(values).every((name) => question.parameters.some((known) => known.name === name));
}

function valuesFor(question: Question, values: Readonly<Record<string, string>>) {
  return (name: string): string => {
    const value = values[name] ?? question.parameters.find((known) => known.name === name)?.default;
    if (value === undefined) throw new Error(`${question.name} has no parameter ${name}`);
    return value;
  };
}

function note(question: string, lab: string, rows: readonly Answer[], truth: readonly Answer[]): void {
  const equal = differencesOf(inAnyOrder(rows), inAnyOrder(truth)).length === 0;
  table.push({ question, lab, duckdb: rows.length, truth: truth.length, equal });
}
