/** Every view and question over lakes of odd copies, written by either engine: missing fields, ties, odd texts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { questionSql } from '../../../src/questions/question-sql.ts';
import { loadQuestions, loadViews } from '../../../src/questions/questions.ts';
import { questionAnswer, viewAnswer } from './answers.ts';
import { differencesOf, inAnyOrder } from './compare.ts';
import { openInDuckDb } from './duckdb.ts';
import type { Facts } from './facts.ts';
import { oddTexts, writeOddLake } from './odd-lake.ts';
import { valuesFor } from './telling-copies.ts';

/** Describes the tests of a lake of odd copies. */
export function describeOddCopies(engine: 'duckdb' | 'parquetjs-lite', seed: number): void {
  describe(`odd copies of seed ${seed}, written by ${engine}`, () => testsOf(engine, seed));
}

function testsOf(engine: 'duckdb' | 'parquetjs-lite', seed: number): void {
  let folder: string;
  let facts: Facts;
  let duckdb: Awaited<ReturnType<typeof openInDuckDb>>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-odd-'));
    facts = await writeOddLake(folder, seed, engine);
    duckdb = await openInDuckDb(folder);
  });

  afterAll(async () => {
    duckdb.close();
    await rm(folder, { recursive: true });
  });

  it.each(loadViews().map((view) => view.name))('the view %s', async (view) => {
    const asked = await duckdb.ask(`SELECT * FROM ${view}`);
    const expected = viewAnswer(view)(facts, asked.columns);
    expect(differencesOf(inAnyOrder(asked.rows), inAnyOrder(expected))).toEqual([]);
  });

  it.each(loadQuestions().map((question) => [question.name, question] as const))(
    'the question %s, through the views with its first values',
    async (_, question) => {
      for (const [at, values] of valuesFor(question, ['0', '1', '2', '26', '60', '150']).entries()) {
        const sql = questionSql(question, values);
        const asked = await (at === 0 ? duckdb.ask(sql) : duckdb.askTables(sql));
        const expected = questionAnswer(question.name)(facts, (name) => values[name] ?? '');
        expect(differencesOf(asked.rows, expected)).toEqual([]);
      }
    },
  );

  it('takes a rule for deleted by how long it had not tried when its silence began to count, not by now', async () => {
    const question = loadQuestions().find(({ name }) => name === 'silent-rules');
    if (question === undefined) throw new Error('there is no silent-rules');
    const hasGone = async (values: Readonly<Record<string, string>>) => {
      const { rows } = await duckdb.ask(questionSql(question, values));
      return rows.some((row) => row.rule_id === 'gone');
    };
    expect(await hasGone({ days: '7' })).toBe(false);
    expect(await hasGone({ days: '109' })).toBe(false);
    expect(await hasGone({ days: '110' })).toBe(true);
    expect(await hasGone({ days: '110', within: '89' })).toBe(false);
    expect(await hasGone({ days: '200' })).toBe(false);
  });

  it('gives every odd text back as it was', async () => {
    const question = loadQuestions().find(({ name }) => name === 'resource-history');
    if (question === undefined) throw new Error('there is no resource-history');
    const { rows } = await duckdb.ask(questionSql(question, { days: '60' }));
    const messages = new Set(rows.map((row) => row.status_message));
    expect(oddTexts.filter((text) => !messages.has(text))).toEqual([]);
    expect(Math.max(...oddTexts.map((text) => text.length))).toBeGreaterThan(10_000);
  });
}
