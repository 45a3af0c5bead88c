/** A lake as tables and views of a Trino schema, made of the statements that `catalog ddl --dialect trino` prints. */
import { ddl } from '../../../src/catalog/ddl.ts';
import { loadViews, type View } from '../../../src/questions/questions.ts';
import { copyJobSummaries } from '../../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../../src/tables/copy-jobs.ts';
import { exportCoverage } from '../../../src/tables/export-coverage.ts';
import { exportReconciliation } from '../../../src/tables/export-reconciliation.ts';
import type { Table } from '../../../src/tables/table.ts';
import type { LakeRow } from '../../support/lake-reader.ts';
import type { Answer, Trino, TrinoValue } from './client.ts';

export const tables = [copyJobs, copyJobSummaries, exportCoverage, exportReconciliation];

export interface AskedOfTrino {
  readonly columns: readonly string[];
  /** As Trino names them. */
  readonly types: readonly string[];
  /** Times in milliseconds since the epoch; decimals as text. */
  readonly rows: readonly LakeRow[];
  readonly answer: Answer;
}

export interface LakeInTrino {
  ask(sql: string): Promise<AskedOfTrino>;
}

/** A lake with its views as they are, and the same lake with a table in place of each view, which Trino plans faster. */
export interface LakeInTrinoTwice {
  readonly views: LakeInTrino;
  readonly tables: LakeInTrino;
}

/**
 * @param location of the lake: `local:///folder` or `s3://bucket/prefix`
 * @param of the tables that the lake has
 */
export async function openInTrino(
  client: Trino,
  schema: string,
  location: string,
  views: readonly View[] = loadViews(),
  of: readonly Table[] = tables,
): Promise<LakeInTrino> {
  const place = { dialect: 'trino', catalog: 'lake', schema } as const;
  for (const statement of ddl({ tables: of, views, location, place }).statements) {
    await client.query(statement, schema);
  }
  return asking(client, schema);
}

/**
 * Trino puts the text of every view into the plan of a question, and plans it anew for every value: most of the time of
 * these tests. In place of a view, the rows that it had once do as well. Whoever asks the tables compares their rows with
 * those that the view has by DuckDB and by the truth, and asks the views themselves too.
 */
export async function openInTrinoTwice(
  client: Trino,
  schema: string,
  location: string,
): Promise<LakeInTrinoTwice> {
  const views = await openInTrino(client, schema, location);
  const kept = `${schema}_tables`;
  await openInTrino(client, kept, location, []);
  for (const { name, sql } of loadViews()) {
    await client.query(`CREATE TABLE ${name} AS\n${sql.trim().replace(/;$/, '')}`, kept);
  }
  return { views, tables: asking(client, kept) };
}

function asking(client: Trino, schema: string): LakeInTrino {
  return {
    ask: async (sql) => {
      const answer = await client.query(sql, schema);
      const types = answer.columns.map(({ type }) => type);
      const columns = answer.columns.map(({ name }) => name);
      const rows = answer.rows.map((row) =>
        Object.fromEntries(row.map((value, at) => [columns[at] ?? '', plain(value, types[at] ?? '')])),
      );
      return { columns, types, rows, answer };
    },
  };
}

/** A timestamp without time zone is the wall clock that it shows; in a lake that is UTC's. */
function plain(value: TrinoValue, type: string): TrinoValue {
  if (value === null || !type.startsWith('timestamp')) return value;
  const shown = /^timestamp\(\d\)$/.test(type) && /^(\S+) (\d\d:\d\d:\d\d\.\d{3})0*$/.exec(String(value));
  if (!shown) throw new Error(`no answer may hold the ${type} ${String(value)}`);
  return Date.parse(`${shown[1]}T${shown[2]}Z`);
}
