import { describe, expect, it } from 'vitest';
import { ddl } from '../../src/catalog/ddl.ts';
import { catalogColumns } from '../../src/catalog/definition.ts';
import { hiveName, hiveText, trinoName, trinoText } from '../../src/catalog/sql-literals.ts';
import { athenaTable, createView, trinoTable } from '../../src/catalog/statements.ts';
import { copyJobSummaries } from '../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import { exportCoverage } from '../../src/tables/export-coverage.ts';
import { exportReconciliation } from '../../src/tables/export-reconciliation.ts';

const tables = [copyJobs, copyJobSummaries, exportCoverage, exportReconciliation];
const athena = { database: 'copies', location: 's3://b/lake/copy_jobs/', firstDay: '2025-01-02' };
const trino = { catalog: 'hive', schema: 'copies', location: 's3://b/lake/copy_jobs/' };

describe('a table', () => {
  it.each(tables.map((table) => [table.name, table] as const))(
    '%s has every column once, with its type and its comment, and partition columns apart',
    (_, table) => {
      const inAthena = athenaTable(table, athena).split('\n');
      const inTrino = trinoTable(table, trino).split('\n');
      const types = { text: 'string', bigint: 'bigint', boolean: 'boolean', timestamp: 'timestamp' };
      for (const { name, type, comment } of catalogColumns(table)) {
        const line = `  \`${name}\` ${types[type]} COMMENT ${hiveText(comment)}`;
        expect(inAthena.filter((one) => one.replace(/,$/, '') === line)).toHaveLength(1);
        expect(inTrino.filter((one) => one.startsWith(`  "${name}" `))).toHaveLength(1);
      }
      const partitions = inAthena.slice(inAthena.indexOf('PARTITIONED BY ('));
      for (const { name } of table.partitions) {
        expect(partitions.some((line) => line.startsWith(`  \`${name}\` string COMMENT`))).toBe(true);
        expect(inAthena.filter((line) => line.startsWith(`  \`${name}\` `))).toHaveLength(1);
      }
    },
  );

  it('offers every day from the first one to today, and every period', () => {
    expect(athenaTable(copyJobs, athena)).toContain("'projection.creation_date.range' = '2025-01-02,NOW'");
    expect(athenaTable(copyJobSummaries, athena)).toContain(
      "'projection.aggregation_period.values' = 'ONE_DAY,SEVEN_DAYS,FOURTEEN_DAYS'",
    );
  });

  it('says where it lies, in both dialects', () => {
    expect(athenaTable(copyJobs, athena)).toContain("\nLOCATION 's3://b/lake/copy_jobs/'\n");
    expect(trinoTable(copyJobs, trino)).toContain("external_location = 's3://b/lake/copy_jobs/'");
  });

  it('has comments that Glue takes: at most 255 characters, cut at the end of a sentence or word', () => {
    const said = 'A sentence of some length. '.repeat(12).trim();
    const [first, second] = [said, 'word '.repeat(80).trim()].map((description) => {
      const [column] = exportCoverage.columns;
      if (column === undefined) throw new Error('no column');
      return catalogColumns({ ...exportCoverage, columns: [{ ...column, description }] })[0]?.comment ?? '';
    });
    expect(first).toMatch(/^(A sentence of some length\. )+…$/);
    expect(second).toMatch(/^(word )+…$/);
    for (const comment of [first, second]) {
      expect(comment?.length).toBeLessThanOrEqual(255);
      expect(comment?.length).toBeGreaterThan(220);
    }
  });
});

describe('a view', () => {
  const view = { name: 'one', title: `It's one`, about: '', sql: 'SELECT 1 AS one;\n' };

  it('is replaced, and its SQL is as in its file', () => {
    expect(createView(view, { dialect: 'athena', database: 'copies' })).toBe(
      'CREATE OR REPLACE VIEW "copies"."one" AS\nSELECT 1 AS one',
    );
    expect(createView(view, { dialect: 'trino', catalog: 'hive', schema: 'copies' })).toBe(
      `CREATE OR REPLACE VIEW "hive"."copies"."one"\nCOMMENT 'It''s one'\nAS\nSELECT 1 AS one`,
    );
  });

  it('comes after all tables, and partitions of Trino are registered', () => {
    const place = { dialect: 'trino', catalog: 'hive', schema: 'copies' } as const;
    const { statements } = ddl({ tables, views: [view], location: 's3://b/lake', place });
    expect(statements.at(-1)).toMatch(/^CREATE OR REPLACE VIEW/);
    expect(statements.filter((one) => one.startsWith('CREATE TABLE'))).toHaveLength(tables.length);
    expect(statements).toContain(
      `CALL "hive"."system"."sync_partition_metadata"('copies', 'copy_jobs', 'FULL')`,
    );
  });
});

describe('names and texts never end early', () => {
  it.each([
    ["it's", "'it\\'s'", "'it''s'"],
    ['a\\', "'a\\\\'", "'a\\'"],
    ["\\' OR 1", "'\\\\\\' OR 1'", "'\\'' OR 1'"],
    ['two\r\nlines\0', "'two lines '", "'two lines '"],
  ])('%j', (text, hive, other) => {
    expect([hiveText(text), trinoText(text)]).toEqual([hive, other]);
  });

  it('names', () => {
    expect(trinoName('a"b')).toBe('"a""b"');
    expect(hiveName('rows')).toBe('`rows`');
    expect(() => hiveName('a`b')).toThrow(/cannot be a name/);
  });
});
