/** Every view and question over lakes of odd copies in Trino: missing fields, ties, sums above 2^63, odd texts. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ddl } from '../../../src/catalog/ddl.ts';
import { questionSql } from '../../../src/questions/question-sql.ts';
import { loadQuestions, loadViews } from '../../../src/questions/questions.ts';
import { copyJobSummaries } from '../../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../../src/tables/copy-jobs.ts';
import { exportCoverage } from '../../../src/tables/export-coverage.ts';
import { exportReconciliation } from '../../../src/tables/export-reconciliation.ts';
import { questionAnswer, viewAnswer } from '../../support/answers/answers.ts';
import { differencesOf, inAnyOrder } from '../../support/answers/compare.ts';
import type { Answer, Facts } from '../../support/answers/facts.ts';
import { writeOddLake } from '../../support/answers/odd-lake.ts';
import { valuesFor } from '../../support/answers/telling-copies.ts';
import { type RunningTrino, startTrino } from '../trino/trino.ts';

let trino: RunningTrino;
beforeAll(async () => {
  trino = await startTrino();
});
afterAll(() => trino?.stop());

// One lake: Trino plans each question anew for all values, for minutes. Trino reads parquetjs-lite's parts in test/peers/trino.
describe.each([{ engine: 'duckdb', seed: 2 }] as const)(
  'odd copies of seed $seed, written by $engine',
  ({ engine, seed }) => {
    const schema = `odd_${seed}`;
    let folder: string;
    let facts: Facts;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-odd-'));
      facts = await writeOddLake(folder, seed, engine);
      // A table without rows yet: on S3 its prefix needs no object, but Trino wants a folder to be there.
      await mkdir(join(folder, exportReconciliation.name), { recursive: true });
      const { statements } = ddl({
        tables: [copyJobs, copyJobSummaries, exportCoverage, exportReconciliation],
        views: loadViews(),
        location: `local://${folder}`,
        place: { dialect: 'trino', catalog: 'lake', schema },
      });
      for (const statement of statements) await trino.client.query(statement, schema);
    });
    afterAll(() => rm(folder, { recursive: true }));

    it.each(loadViews().map((view) => view.name))('the view %s', async (view) => {
      const asked = await ask(`SELECT * FROM ${view}`, schema);
      const expected = viewAnswer(view)(facts, asked.columns);
      expect(differencesOf(inAnyOrder(asked.rows), inAnyOrder(expected))).toEqual([]);
    });

    it.each(loadQuestions().map((question) => [question.name, question] as const))(
      'the question %s',
      async (_, question) => {
        for (const values of valuesFor(question, ['1', '60'])) {
          const asked = await ask(questionSql(question, values), schema);
          const expected = questionAnswer(question.name)(facts, (name) => values[name] ?? '');
          expect(differencesOf(asked.rows, expected)).toEqual([]);
        }
      },
    );
  },
);

/** Times in milliseconds since the epoch: Trino shows a timestamp without time zone as it is stored, in UTC. */
async function ask(sql: string, schema: string) {
  const { columns, rows } = await trino.client.query(sql, schema);
  return {
    columns: columns.map(({ name }) => name),
    rows: rows.map(
      (row): Answer =>
        Object.fromEntries(
          columns.map(({ name, type }, at) => {
            const value = row[at] ?? null;
            const isTime = value !== null && type.startsWith('timestamp');
            return [name, isTime ? Date.parse(`${String(value).replace(' ', 'T')}Z`) : value];
          }),
        ),
    ),
  };
}
