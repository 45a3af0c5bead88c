import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ddl } from '../../../src/catalog/ddl.ts';
import type { View } from '../../../src/catalog/statements.ts';
import { loadViews } from '../../../src/questions/questions.ts';
import { copyJobSummaries } from '../../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../../src/tables/copy-jobs.ts';
import { exportCoverage } from '../../../src/tables/export-coverage.ts';
import { exportReconciliation } from '../../../src/tables/export-reconciliation.ts';
import type { Table } from '../../../src/tables/table.ts';
import { pythonPeers } from '../python.ts';

interface SaidColumn {
  readonly name: string;
  readonly type: string;
  readonly comments: readonly string[];
}
interface Said {
  readonly kind: 'table' | 'view' | 'other';
  readonly name: string;
  readonly database: string;
  readonly external: boolean;
  readonly columns: readonly SaidColumn[];
  readonly partitions: readonly SaidColumn[];
  readonly format: string;
  readonly comment: string;
  readonly location: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly sql: string;
}

const location = 's3://lake-bucket/backup';
const tables = [copyJobs, copyJobSummaries, exportCoverage, exportReconciliation];
const places = {
  athena: { dialect: 'athena', database: 'copies', firstDay: '2025-01-02', programVersion: '1.2.3' },
  trino: { dialect: 'trino', catalog: 'hive', schema: 'copies' },
} as const;
const typeOf: Readonly<Record<string, string>> = {
  string: 'text',
  varchar: 'text',
  bigint: 'bigint',
  boolean: 'boolean',
  timestamp: 'timestamp',
  'timestamp(3)': 'timestamp',
};

let python: string;
beforeAll(async () => {
  python = join(await pythonPeers(), 'python');
});

/** The statements as sqlglot, which nobody here wrote, understands them. */
async function parsed(
  dialect: 'athena' | 'trino',
  lake = location,
  of: readonly Table[] = tables,
  views: readonly View[] = loadViews(),
): Promise<readonly Said[]> {
  const { statements } = ddl({ tables: of, views, location: lake, place: places[dialect] });
  const child = spawn(python, [join(import.meta.dirname, 'parse_ddl.py')], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const [out, errors]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk) => out.push(chunk));
  child.stderr.on('data', (chunk) => errors.push(chunk));
  child.stdin.end(JSON.stringify({ dialect, statements }));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code, Buffer.concat(errors).toString()).toBe(0);
  return JSON.parse(Buffer.concat(out).toString());
}

const only = (said: readonly Said[], kind: Said['kind']): readonly Said[] =>
  said.filter((one) => one.kind === kind);

function columnsOf(columns: readonly SaidColumn[]) {
  return columns.map(({ name, type, comments }) => ({ name, type: typeOf[type], comments }));
}

describe('the statements, as sqlglot parses them', () => {
  it('say the same columns, types, partitions, comments and places in both dialects', async () => {
    const [athena, trino] = [await parsed('athena'), await parsed('trino')];
    expect(only(athena, 'table')).toHaveLength(tables.length);
    const facts = ({ name, database, columns, partitions, format, comment, location: place }: Said) => ({
      ...{ name, database, format, comment, place },
      columns: columnsOf(columns),
      partitions: columnsOf(partitions),
    });
    expect(only(trino, 'table').map(facts)).toEqual(only(athena, 'table').map(facts));
    for (const [index, table] of tables.entries()) {
      const said = only(athena, 'table')[index];
      expect(said).toMatchObject({
        external: true,
        format: 'PARQUET',
        location: `${location}/${table.name}/`,
      });
      expect(columnsOf(said?.columns ?? []).map(({ name, type }) => ({ name, type }))).toEqual(
        table.columns.map(({ name, type }) => ({ name, type })),
      );
      expect(said?.partitions.map(({ name, type }) => [name, type])).toEqual(
        table.partitions.map(({ name }) => [name, 'string']),
      );
    }
  });

  it('have one comment on every column, which Glue and a Hive metastore can keep', async () => {
    for (const dialect of ['athena', 'trino'] as const) {
      for (const { columns, partitions } of only(await parsed(dialect), 'table')) {
        for (const { name, comments } of [...columns, ...partitions]) {
          expect(comments, name).toHaveLength(1);
          expect(comments[0]?.length, name).toBeGreaterThan(3);
          expect(comments[0]?.length, name).toBeLessThanOrEqual(255);
        }
      }
    }
  });

  it('project exactly the partition columns of each table, at the place where its parts lie', async () => {
    const [jobs, summaries] = only(await parsed('athena'), 'table');
    expect(jobs?.parameters).toEqual({
      classification: 'parquet',
      'projection.enabled': 'true',
      'projection.creation_date.type': 'date',
      'projection.creation_date.format': 'yyyy-MM-dd',
      'projection.creation_date.range': '2025-01-02,NOW',
      'projection.creation_date.interval': '1',
      'projection.creation_date.interval.unit': 'DAYS',
      'storage.location.template': `${location}/copy_jobs/creation_date=\${creation_date}/`,
      'backup_copy_export.schema_version': String(copyJobs.schemaVersion),
      'backup_copy_export.program_version': '1.2.3',
    });
    expect(summaries?.parameters).toMatchObject({
      'projection.aggregation_period.type': 'enum',
      'projection.aggregation_period.values': 'ONE_DAY,SEVEN_DAYS,FOURTEEN_DAYS',
      'projection.start_date.type': 'date',
      'storage.location.template': `${location}/copy_job_summaries/aggregation_period=\${aggregation_period}/start_date=\${start_date}/`,
    });
  });

  it('make the same views in both dialects, each after what it reads', async () => {
    const [athena, trino] = [only(await parsed('athena'), 'view'), only(await parsed('trino'), 'view')];
    expect(athena.map(({ name }) => name)).toEqual(loadViews().map(({ name }) => name));
    expect(trino.map(({ name, sql }) => [name, sql])).toEqual(athena.map(({ name, sql }) => [name, sql]));
  });

  it('keep quotes, backslashes, newlines and whatever looks like SQL inside their texts', async () => {
    const hostile = `it's \\ a "text" -- with ; /* all */ of\nit \\' 🪣`;
    const table: Table = {
      ...exportCoverage,
      description: hostile,
      columns: exportCoverage.columns.map((column) => ({ ...column, description: hostile })),
    };
    const lake = `s3://lake-bucket/it's/a "pre;fix"`;
    const view = { name: 'one', title: hostile, about: '', sql: 'SELECT 1 AS one' };
    for (const dialect of ['athena', 'trino'] as const) {
      const [said] = only(await parsed(dialect, lake, [table], [view]), 'table');
      expect(said?.comment).toBe(hostile.replace('\n', ' '));
      expect(said?.columns[0]?.comments).toEqual([hostile.replace('\n', ' ')]);
      expect(said?.location).toBe(`${lake}/export_coverage/`);
    }
  });
});
