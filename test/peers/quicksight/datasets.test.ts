import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withQueries } from '../../../deploy/quicksight/write-queries.ts';
import { type MemoryLake, openMemoryLake } from '../../support/memory-lake.ts';
import { data, database, datasetOf, deployment, ofType, replaced } from './deployed.ts';
import { resources } from './templates.ts';

let lake: MemoryLake;

beforeAll(async () => {
  lake = await openMemoryLake(database);
});

afterAll(() => lake?.close());

describe('the datasets', () => {
  it('ask the questions as they are now (else: node deploy/quicksight/write-queries.ts)', () => {
    expect(withQueries(data)).toBe(data);
    expect(withQueries(replaced(data, 'AS repair_hours', 'AS repair'))).toBe(data);
    expect(data.split('# question: ').length - 1).toBe(data.split('SqlQuery:').length - 1);
  });

  it('name a table with its database where they read from it, not where they compare its columns', () => {
    const qualified = [...data.matchAll(/(\S+ \S+) "\$\{Database\}"/g)].map(([, before = '']) => before);
    expect(qualified.filter((before) => !/(?<!DISTINCT )(FROM|JOIN)$/.test(before))).toEqual([]);
    expect(data).toMatch(/IS NOT DISTINCT FROM leaf_copies\./);
  });

  it('have exactly the columns that their query gives, or columns of their view, each with a fitting type', async () => {
    expect(await wrongColumns(data)).toEqual([]);
  });

  it.each([
    ['a column that is not there', 'Name: still_open, Type', 'Name: stil_open, Type', 'stil_open'],
    ['another type', 'Name: rpo_hours, Type: DECIMAL', 'Name: rpo_hours, Type: INTEGER', 'rpo_hours'],
    ['a column too few', '              - { Name: jobs_since, Type: INTEGER }\n', '', 'silent-rules'],
    ['a cast of what is no text', 'ColumnName: creation_date', 'ColumnName: jobs', 'jobs'],
  ])('are refused with %s', async (_, from, to, complaint) => {
    expect((await wrongColumns(replaced(data, from, to))).join('\n')).toContain(complaint);
  });
});

/** Columns of datasets that are not as their view or query has them; a line each. */
async function wrongColumns(text: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const { properties } of ofType(resources(text, deployment), 'DataSet')) {
    const { table, isView, columns, casts } = datasetOf(properties);
    const there = await lake.columnsOf(table);
    for (const [name, type] of columns) {
      if (there.get(name) !== type)
        wrong.push(`${properties.DataSetId}: ${name} is ${there.get(name)}, not ${type}`);
    }
    if (!isView && columns.size !== there.size)
      wrong.push(`${properties.DataSetId} lacks columns of its query`);
    for (const name of casts) {
      if (columns.get(name) !== 'STRING') wrong.push(`${properties.DataSetId}: ${name} cannot be cast`);
    }
  }
  return wrong;
}
