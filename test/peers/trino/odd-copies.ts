/** Every view and question over lakes of odd copies in Trino: missing fields, ties, sums above 2^63, odd texts. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { questionSql } from '../../../src/questions/question-sql.ts';
import { loadQuestions, loadViews } from '../../../src/questions/questions.ts';
import { exportReconciliation } from '../../../src/tables/export-reconciliation.ts';
import { questionAnswer, viewAnswer } from '../../support/answers/answers.ts';
import { differencesOf, inAnyOrder } from '../../support/answers/compare.ts';
import type { Facts } from '../../support/answers/facts.ts';
import { writeOddLake } from '../../support/answers/odd-lake.ts';
import { valuesFor } from '../../support/answers/telling-copies.ts';
import type { Trino } from './client.ts';
import { type LakeInTrinoTwice, openInTrinoTwice } from './lake-in-trino.ts';

// One lake, because Trino plans for minutes. It reads parquetjs-lite's parts in the other suites.
const seed = 2;

export function oddCopies(trino: () => Trino): void {
  describe('odd copies, written by duckdb', () => {
    let folder: string;
    let facts: Facts;
    let inTrino: LakeInTrinoTwice;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-odd-'));
      facts = await writeOddLake(folder, seed, 'duckdb');
      // A table without rows yet: on S3 its prefix needs no object, but Trino wants a folder to be there.
      await mkdir(join(folder, exportReconciliation.name), { recursive: true });
      inTrino = await openInTrinoTwice(trino(), 'odd', `local://${folder}`);
    });
    afterAll(() => rm(folder, { recursive: true }));

    it.each(loadViews().map((view) => view.name))('the view %s', async (view) => {
      const asked = await inTrino.tables.ask(`SELECT * FROM ${view}`);
      const expected = viewAnswer(view)(facts, asked.columns);
      expect(differencesOf(inAnyOrder(asked.rows), inAnyOrder(expected))).toEqual([]);
    });

    it.each(loadQuestions().map((question) => [question.name, question] as const))(
      'the question %s, through the views with its first values',
      async (_, question) => {
        for (const [at, values] of valuesFor(question, ['1', '60']).entries()) {
          const place = at === 0 ? inTrino.views : inTrino.tables;
          const asked = await place.ask(questionSql(question, values));
          const expected = questionAnswer(question.name)(facts, (name) => values[name] ?? '');
          expect(differencesOf(asked.rows, expected)).toEqual([]);
        }
      },
    );
  });
}
