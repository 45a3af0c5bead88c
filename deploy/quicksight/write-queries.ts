/**
 * The datasets ask the named questions of queries/questions, word for word but for their order, which SPICE does not
 * keep. A line in data.yaml says which, and with which parameters; the SQL below it is written by
 * `node deploy/quicksight/write-queries.ts`, and a test fails while it is stale.
 *
 *     # question: failed-copies days=400
 *     SqlQuery: !Sub |-
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { questionSql } from '../../src/questions/question-sql.ts';
import { loadQuestions, loadViews } from '../../src/questions/questions.ts';
import { copyJobSummaries } from '../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import { exportCoverage } from '../../src/tables/export-coverage.ts';

const query = /^( +)# question: (\S+)(.*)\n +SqlQuery: !Sub \|-\n(?:\1 {2}.*\n)*/gm;

/** The template with every dataset's SQL as its question has it now. */
export function withQueries(template: string): string {
  const questions = new Map(loadQuestions().map((question) => [question.name, question]));
  return template.replaceAll(query, (_, margin: string, name: string, given: string) => {
    const question = questions.get(name);
    if (question === undefined) throw new Error(`There is no question ${name}`);
    const values = Object.fromEntries(
      given
        .trim()
        .split(/\s+/)
        .filter((word) => word !== '')
        .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
    );
    const lines = inDatabase(inNoOrder(questionSql(question, values))).split('\n');
    const body = lines.map((line) => `${margin}  ${line}\n`).join('');
    return `${margin}# question: ${name}${given}\n${margin}SqlQuery: !Sub |-\n${body}`;
  });
}

/** Leaves out the ORDER BY of the whole; it alone begins a line. */
function inNoOrder(sql: string): string {
  return sql.replace(/\nORDER BY\b[\s\S]*$/, '');
}

/**
 * QuickSight gives Athena no database of its own to look in, so tables and views are named with theirs. What follows
 * IS DISTINCT FROM is a table's column, and keeps its name.
 */
function inDatabase(sql: string): string {
  const names = [copyJobs, copyJobSummaries, exportCoverage, ...loadViews()].map(({ name }) => name);
  const relation = new RegExp(`(?<!DISTINCT )\\b(FROM|JOIN) (${names.join('|')})\\b`, 'g');
  return sql.replaceAll(relation, '$1 "$${Database}".$2');
}

if (import.meta.main) {
  const file = join(import.meta.dirname, 'data.yaml');
  await writeFile(file, withQueries(await readFile(file, 'utf8')));
}
