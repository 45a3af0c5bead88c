/** Whoever reads the number of an account reads its name beside it. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { questionSql } from '../../src/questions/question-sql.ts';
import { loadQuestions } from '../../src/questions/questions.ts';
import { type MemoryLake, openMemoryLake } from '../support/memory-lake.ts';

let lake: MemoryLake;

beforeEach(async () => {
  lake = await openMemoryLake('lake');
});

afterEach(() => lake.close());

/** What a run said of an account in a region. */
async function said(day: string, account: string, name: string | null, region = 'eu-west-1'): Promise<void> {
  await lake.add('export_coverage', {
    ...{ table_name: "'copy_jobs'", status: "'OK'", region: `'${region}'`, run_id: `'run of ${day}'` },
    ...{ account_id: `'${account}'`, account_name: name === null ? 'NULL' : `'${name}'` },
    ...{ as_of: `TIMESTAMP '${day} 02:00:00'`, run_date: `'${day}'` },
  });
}

const names = () => lake.rowsOf('SELECT account_id, account_name FROM account_names ORDER BY account_id');

it('an account has the newest name that a run knew, once, however many regions and runs name it', async () => {
  await said('2026-03-01', '111111111111', 'payments');
  await said('2026-03-02', '111111111111', 'payments-prod');
  await said('2026-03-02', '111111111111', 'payments-prod', 'us-east-1');
  await said('2026-03-03', '111111111111', null);
  await said('2026-03-03', '222222222222', null);
  expect(await names()).toEqual([['111111111111', 'payments-prod']]);
});

it('a name that no run of the last 35 days knew is not looked for', async () => {
  await said('2026-01-25', '111111111111', 'kept');
  await said('2026-01-24', '222222222222', 'too old');
  await said('2026-03-01', '333333333333', null);
  expect(await names()).toEqual([['111111111111', 'kept']]);
});

it('every question with the number of an account has its name right after it', async () => {
  let found = 0;
  for (const question of loadQuestions()) {
    const columns = [...(await lake.columnsOf(questionSql(question))).keys()];
    for (const [at, column] of columns.entries()) {
      if (!column.endsWith('account_id')) continue;
      expect(columns[at + 1], question.name).toBe(column.replace(/_id$/, '_name'));
      found += 1;
    }
  }
  expect(found).toBeGreaterThan(20);
});

it('names make no rows: a question has as many with names as without, and an unknown account keeps its row', async () => {
  for (const [id, account] of [
    ['a', '111111111111'],
    ['b', '999999999999'],
  ]) {
    await lake.add('copy_jobs', {
      ...{ copy_job_id: `'${id}'`, account_id: `'${account}'`, region: "'eu-west-1'", state: "'FAILED'" },
      creation_time: "TIMESTAMP '2026-03-01 01:00:00'",
      ...{ creation_date: "'2026-03-01'", is_terminal: 'true', destination_account_id: "'222222222222'" },
    });
  }
  await said('2026-02-28', '111111111111', 'old name');
  await said('2026-03-01', '111111111111', 'payments');
  await said('2026-03-01', '111111111111', 'payments', 'us-east-1');
  await said('2026-03-01', '222222222222', 'vault');
  const question = loadQuestions().find(({ name }) => name === 'failed-copies');
  if (question === undefined) throw new Error('there is no failed-copies');
  const rows = await lake.rowsOf(
    `SELECT copy_job_id, account_name, destination_account_name FROM (${questionSql(question)}) ORDER BY copy_job_id`,
  );
  expect(rows).toEqual([
    ['a', 'payments', 'vault'],
    ['b', null, 'vault'],
  ]);
});
