/** The views and questions, parsed by sqlglot as Trino, Athena and DuckDB: one file, three dialects. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { questionSql } from '../../../src/questions/question-sql.ts';
import { loadQuestions, loadViews } from '../../../src/questions/questions.ts';
import { pythonPeers } from '../python.ts';

const dialects = ['trino', 'athena', 'duckdb'];
let bin: string;
beforeAll(async () => {
  bin = await pythonPeers();
});

function parse(queries: readonly { readonly name: string; readonly sql: string }[]): unknown {
  const input = JSON.stringify(queries.map((query) => ({ ...query, dialects })));
  const python = spawnSync(join(bin, 'python'), [join(import.meta.dirname, 'parse.py')], {
    input,
    encoding: 'utf8',
  });
  if (python.status !== 0) throw new Error(`sqlglot: ${python.stderr}`);
  return JSON.parse(python.stdout);
}

describe('sqlglot', () => {
  it('parses every view and every question as one SELECT of Trino, Athena and DuckDB', () => {
    const questions = loadQuestions().map((question) => ({
      name: question.name,
      sql: questionSql(question),
    }));
    expect(questions.length).toBeGreaterThan(12);
    expect(parse([...loadViews().map(({ name, sql }) => ({ name, sql })), ...questions])).toEqual([]);
  });

  it('would say so if one did not', () => {
    expect(parse([{ name: 'broken', sql: 'SELECT a FROM (b' }])).toHaveLength(dialects.length);
    expect(parse([{ name: 'two', sql: 'SELECT 1; SELECT 2' }])).toHaveLength(dialects.length);
  });
});
