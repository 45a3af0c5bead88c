/** What may be gone is no protection: copies keep the creation date of their source, and -1 tells no end. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { questionSql } from '../../src/questions/question-sql.ts';
import { loadQuestions, loadViews } from '../../src/questions/questions.ts';
import { openInDuckDb } from '../support/answers/duckdb.ts';
import type { Answer } from '../support/answers/facts.ts';
import { writeOddLake } from '../support/answers/odd-lake.ts';

let folder: string;
let duckdb: Awaited<ReturnType<typeof openInDuckDb>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-protection-'));
  await writeOddLake(folder, 1, 'duckdb');
  duckdb = await openInDuckDb(folder);
});

afterAll(async () => {
  duckdb.close();
  await rm(folder, { recursive: true });
});

async function ask(name: string, values: Readonly<Record<string, string>> = {}): Promise<readonly Answer[]> {
  const question = loadQuestions().find((one) => one.name === name);
  if (question === undefined) throw new Error(`there is no question ${name}`);
  return (await duckdb.ask(questionSql(question, values))).rows;
}

/** The answer's row of a volume of `telling-copies.ts` in the central account. */
async function rowOf(name: string, volume: string, values?: Readonly<Record<string, string>>) {
  const rows = await ask(name, values);
  return rows.find(
    (row) =>
      String(row.resource_arn).endsWith(`:volume/${volume}`) &&
      (row.destination_account_id ?? '444444444444') === '444444444444',
  );
}

const kept = (hours: number) => ({ protection: 'kept', rpo_hours: hours, best_case_rpo_hours: hours });
const notKept = (protection: string, bestCase: number | null) => ({
  protection,
  rpo_hours: null,
  best_case_rpo_hours: bestCase,
});

describe('rpo counts as protection only what its lifecycle surely keeps', () => {
  it.each([
    ['a copy by a plan, kept for a year', 'other vault', kept(20)],
    ['a copy whose days have passed', 'expired', notKept('gone', null)],
    ['a copy whose days end this instant', 'expires now', notKept('gone', null)],
    ['a copy of days -1', 'never expires', notKept('unknown', 720)],
    ['a copy of no days told', 'not told', notKept('unknown', 24)],
    ['a copy of 0 days', 'no days', notKept('unknown', 24)],
    ['a copy on demand of a source of unknown age', 'on demand', notKept('may_be_gone', 24)],
    ['a copy whose source was copied 40 days before', 'copied late', notKept('gone', null)],
    ['the same, kept for longer', 'copied late, kept', kept(960)],
    ['a copy whose source failed to be copied 40 days before', 'failed first', notKept('gone', null)],
    ['a copy of a copy of a copy', 'hops', notKept('gone', null)],
    ['a copy of a continuous recovery point', 'continuous', kept(24)],
    ['a copy that an event ends', 'event', notKept('may_be_gone', 24)],
    ['a copy that ends as soon as its backup may have taken', 'at the window', notKept('may_be_gone', 64)],
    ['a copy that ends a millisecond later', 'after the window', kept(64)],
  ])('%s', async (_, volume, expected) => {
    expect(await rowOf('rpo', volume)).toMatchObject(expected);
  });

  it('names a surely kept copy, however old, before younger ones that may be gone', async () => {
    const row = await rowOf('rpo', 'kept beside unknown');
    expect(row).toMatchObject({ protection: 'kept', rpo_hours: 96, best_case_rpo_hours: 24 });
  });

  it('takes shorter windows of plans from --window', async () => {
    expect(await rowOf('rpo', 'kept for days')).toMatchObject({ protection: 'may_be_gone', rpo_hours: null });
    const short = { window: '24' };
    expect(await rowOf('rpo', 'kept for days', short)).toMatchObject({ protection: 'kept', rpo_hours: 24 });
    expect(await rowOf('rpo', 'on demand', short)).toMatchObject({ protection: 'may_be_gone' });
  });
});

describe('rpo-beyond-limit lists what is not surely protected, and says why', () => {
  const limit = { hours: '48' };
  it.each([
    ['never made', 'none'],
    ['in part', 'none'],
    ['expired', 'gone'],
    ['on demand', 'may_be_gone'],
    ['event', 'may_be_gone'],
    ['never expires', 'unknown'],
    ['not told', 'unknown'],
    ['copied late, kept', 'kept'],
    ['kept beside unknown', 'kept'],
  ])('%s: %s', async (volume, protection) => {
    expect(await rowOf('rpo-beyond-limit', volume, limit)).toMatchObject({ protection });
  });

  it('leaves out what surely exists and is young enough', async () => {
    expect(await rowOf('rpo-beyond-limit', 'other vault', limit)).toBeUndefined();
    expect(await rowOf('rpo-beyond-limit', 'continuous', limit)).toBeUndefined();
  });

  it('comes in the order of what is certain: none, gone, may_be_gone, unknown, kept', async () => {
    const rows = await ask('rpo-beyond-limit', limit);
    const order = rows.map((row) => row.protection).filter((one, at, all) => one !== all[at - 1]);
    expect(order).toEqual(['none', 'gone', 'may_be_gone', 'unknown', 'kept']);
  });
});

it('single-location-resources counts copies that may be gone apart, and lists their resources', async () => {
  const counts = async (volume: string) => {
    const row = await rowOf('single-location-resources', volume);
    return [row?.completed_in_other_account, row?.kept_in_other_account, row?.unsure_in_other_account];
  };
  expect(await counts('expired')).toEqual([1, 0, 0]);
  expect(await counts('never expires')).toEqual([1, 0, 1]);
  expect(await counts('on demand')).toEqual([1, 0, 1]);
  expect(await counts('other vault')).toEqual([1, 1, 0]);
});

it('no view calls a copy good_copies.expires_time or later what copy_lives calls gone', async () => {
  const { rows } = await duckdb.ask(
    `SELECT count(*) AS wrong FROM good_copies INNER JOIN copy_lives ON copy_lives.copy_job_id = good_copies.copy_job_id
     WHERE copy_lives.expires_time > good_copies.expires_time
       OR (copy_lives.expires_time IS NULL) <> (good_copies.expires_time IS NULL)
       OR copy_lives.source_created_before > good_copies.creation_time`,
  );
  expect(rows).toEqual([{ wrong: 0 }]);
});

it('encryption-keys says when the last copy of a key ends at the latest, and how many ends nobody knows', async () => {
  const rows = await ask('encryption-keys', { days: '400' });
  const { rows: truth } = await duckdb.ask(
    'SELECT count(*) AS ends, count(expires_time) AS known, max(expires_time) AS last FROM good_copies',
  );
  const sum = rows.reduce((total, row) => total + Number(row.end_unknown), 0);
  expect(sum).toBe(Number(truth[0]?.ends) - Number(truth[0]?.known));
  expect(Math.max(...rows.map((row) => Number(row.last_expires_time)))).toBe(truth[0]?.last);
});

it('no text of a view or question says that copies are kept for ever, or takes a job’s success for a copy that exists', () => {
  let ends = 0;
  for (const { name, title, about, ...rest } of [...loadViews(), ...loadQuestions()]) {
    const columns = 'columns' in rest ? rest.columns.map((column) => column.about) : [];
    const text = [title, about, ...columns].join(' ');
    if (/\bfor ?ever\b/.test(text))
      expect(text, name).toMatch(/by one page of AWS,? (-1 )?keeps the copy for ?ever(;| and) by another/i);
    if (!/expires_time/.test(text)) continue;
    expect(text, name).toMatch(/upper bound|at the latest|the latest time/);
    ends += 1;
  }
  expect(ends).toBeGreaterThan(0);
});
