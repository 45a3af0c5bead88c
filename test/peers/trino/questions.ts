/** Every view and question, asked of Trino, of DuckDB and of the truth. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { questionSql } from '../../../src/questions/question-sql.ts';
import { loadQuestions, loadViews, type Question } from '../../../src/questions/questions.ts';
import { questionAnswer, viewAnswer } from '../../support/answers/answers.ts';
import { openInDuckDb } from '../../support/answers/duckdb.ts';
import type { Answer, Facts } from '../../support/answers/facts.ts';
import { play, stories } from '../../support/answers/labs.ts';
import type { Flags, Lab } from '../../support/lab.ts';
import type { Trino } from './client.ts';
import { type LakeInTrinoTwice, openInTrinoTwice } from './lake-in-trino.ts';
import { engines } from './lakes.ts';

const defaults: Values = {};
/** Besides the defaults: spans at which bounds show. */
const otherValues = [{ days: '1' }, { hours: '0' }, { state: 'RUNNING' }];

/** Whose questions go through the views as they are, with the default values. The others show other rows, not other plans. */
const throughViews = 'nights';

/**
 * The values to ask a question with in one of the lakes: the defaults, and in its turn one of the others. Trino plans a
 * question for seconds; test/questions/answers.long.test.ts asks DuckDB with all values in every lake.
 */
function valuesIn(lake: number, question: Question): readonly Values[] {
  const others = otherValues.filter((some) => fits(question, some));
  return [defaults, ...others.slice(lake, lake + 1)];
}

/** Prints, at its end, the table of all questions. */
export function questions(trino: () => Trino): void {
  const table: Record<string, string | number | boolean>[] = [];
  const answered = new Map<string, number>();
  afterAll(() => console.table(table));

  describe.each(Object.keys(stories).map((name, at) => [name, engines[at % 2] ?? 'duckdb', at] as const))(
    'a lake of the story “%s” by %s',
    (name, engine, at) => {
      let lab: Lab;
      let facts: Facts;
      let duckdb: Awaited<ReturnType<typeof openInDuckDb>>;
      let inTrino: LakeInTrinoTwice;

      beforeAll(async () => {
        const story = stories[name];
        if (story === undefined) throw new Error(`there is no story ${name}`);
        const flags: Flags = { engine };
        ({ lab, facts } = await play(story, flags));
        duckdb = await openInDuckDb(lab.lake);
        inTrino = await openInTrinoTwice(trino(), name.replace(/\W/g, '_'), `local://${lab.lake}`);
      });
      afterAll(async () => {
        duckdb?.close();
        await lab?.close();
      });

      it.each(loadViews().map((view) => view.name))('the view %s', async (view) => {
        const asked = await inTrino.tables.ask(`SELECT * FROM ${view}`);
        const inDuckDb = await duckdb.ask(`SELECT * FROM ${view}`);
        const truth = viewAnswer(view)(facts, asked.columns);
        note(view, asked.rows, inDuckDb.rows, truth);
        expect(asked.columns).toEqual(inDuckDb.columns);
        expect(inAnyOrder(asked.rows)).toEqual(inAnyOrder(inDuckDb.rows));
        expect(inAnyOrder(asked.rows)).toEqual(inAnyOrder(truth));
        // No lake here loses anything; that of odd-copies.ts does.
        if (view === 'lost_intervals') expect(asked.rows).toEqual([]);
        else expect(asked.rows.length).toBeGreaterThan(0);
      });

      it.each(loadQuestions().map((question) => [question.name, question] as const))(
        'the question %s, to the row and in order',
        async (_, question) => {
          for (const values of valuesIn(at, question)) {
            const sql = questionSql(question, values);
            const place = name === throughViews && values === defaults ? inTrino.views : inTrino.tables;
            const asked = await place.ask(sql);
            const inDuckDb = await duckdb.ask(sql);
            const truth = questionAnswer(question.name)(facts, valuesFor(question, values));
            note(`${question.name}${said(values)}`, asked.rows, inDuckDb.rows, truth);
            answered.set(question.name, (answered.get(question.name) ?? 0) + asked.rows.length);
            expect(asked.columns).toEqual(inDuckDb.columns);
            expect(asked.rows).toEqual(inDuckDb.rows);
            expect(asked.rows).toEqual(truth);
          }
        },
      );

      const note = (asked: string, inTrino: Rows, inDuckDb: Rows, truth: Rows) => {
        const equal =
          new Set([inTrino, inDuckDb, truth].map((rows) => JSON.stringify(inAnyOrder(rows)))).size === 1;
        table.push({
          question: asked,
          lake: name,
          'Trino rows': inTrino.length,
          'DuckDB rows': inDuckDb.length,
          'truth rows': truth.length,
          equal,
        });
      };
    },
  );

  it('every question had rows to answer with in one of the lakes', () => {
    const empty = loadQuestions().filter((question) => !answered.get(question.name));
    expect(empty.map((question) => question.name)).toEqual(['lost-days']);
  });
}

type Values = Readonly<Record<string, string>>;
type Rows = readonly Answer[];

function fits(question: Question, values: Values): boolean {
  return Object.keys(values).every((name) => question.parameters.some((known) => known.name === name));
}

function said(values: Values): string {
  return Object.entries(values)
    .map(([name, value]) => ` --${name} ${value}`)
    .join('');
}

function valuesFor(question: Question, values: Values): (name: string) => string {
  return (name) => {
    const value = values[name] ?? question.parameters.find((known) => known.name === name)?.default;
    if (value === undefined) throw new Error(`${question.name} has no parameter ${name}`);
    return value;
  };
}

function inAnyOrder(rows: Rows): string[] {
  return rows.map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();
}
