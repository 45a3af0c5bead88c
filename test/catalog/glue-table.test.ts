import type { Table as GlueTable } from '@aws-sdk/client-glue';
import { describe, expect, it } from 'vitest';
import { changedTable, newTable } from '../../src/catalog/glue-table.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import type { Table } from '../../src/tables/table.ts';

const placing = { location: 's3://b/lake/copy_jobs/', firstDay: '2025-01-02', programVersion: '1.2.3' };
const found: GlueTable = { ...newTable(copyJobs, placing).input, Name: copyJobs.name };
const [column] = copyJobs.columns;
if (column === undefined) throw new Error('copy_jobs has no column');

/** Every table as it would be after a release that changed the definition. */
const released = (change: Partial<Table>): Table => ({ ...copyJobs, ...change });

describe('the next release of a table', () => {
  it('with the same definition changes nothing', () => {
    const { changes, refusals, input } = changedTable(copyJobs, found, placing);
    expect([changes, refusals]).toEqual([[], []]);
    expect(input).toEqual(newTable(copyJobs, placing).input);
  });

  it('adds its columns behind those that are there, wherever the definition has them', () => {
    const next = released({
      schemaVersion: copyJobs.schemaVersion + 1,
      columns: [{ ...column, name: 'brand_new', type: 'bigint' }, ...copyJobs.columns],
    });
    const { changes, refusals, input } = changedTable(next, found, placing);
    expect(refusals).toEqual([]);
    expect(changes).toEqual([
      '+ copy_jobs: column brand_new bigint',
      `~ copy_jobs: parameter backup_copy_export.schema_version: ${copyJobs.schemaVersion + 1}, was ${copyJobs.schemaVersion}`,
    ]);
    expect(input.StorageDescriptor?.Columns?.map(({ Name }) => Name)).toEqual([
      ...copyJobs.columns.map(({ name }) => name),
      'brand_new',
    ]);
  });

  it('may say its comments and its description anew', () => {
    const next = released({
      description: 'Another.',
      columns: copyJobs.columns.map((one) => (one === column ? { ...one, description: 'Another.' } : one)),
    });
    const { changes, refusals } = changedTable(next, found, placing);
    expect([changes, refusals]).toEqual([
      ['~ copy_jobs: description', `~ copy_jobs: comment of ${column.name}`],
      [],
    ]);
  });

  it.each<readonly [string, Table, RegExp]>([
    [
      'another type',
      released({ columns: copyJobs.columns.map((one) => ({ ...one, type: 'bigint' })) }),
      /column copy_job_id is string in Glue, but bigint in the definition/,
    ],
    ['one column less', released({ columns: copyJobs.columns.slice(1) }), /column copy_job_id is in Glue/],
    [
      'one partition column more',
      released({
        partitions: [
          ...copyJobs.partitions,
          {
            name: 'hour',
            description: 'Hour.',
            example: '1',
            values: { kind: 'one-of', texts: ['1', '2'] },
          },
        ],
      }),
      /Glue lacks the partition column hour, and partition columns cannot be added/,
    ],
    ['no partition column', released({ partitions: [] }), /partitioned by creation_date, not by/],
  ])('is refused with %s', (_, next, message) => {
    expect(changedTable(next, found, placing).refusals.join('\n')).toMatch(message);
  });

  it('keeps parameters, column parameters, owner and storage that are not its own', () => {
    const theirs: GlueTable = {
      ...found,
      Owner: 'somebody',
      Retention: 7,
      Parameters: { ...found.Parameters, 'lake.formation': 'theirs' },
      StorageDescriptor: {
        ...found.StorageDescriptor,
        SortColumns: [{ Column: 'region', SortOrder: 1 }],
        Columns: found.StorageDescriptor?.Columns?.map((one) => ({ ...one, Parameters: { pii: 'no' } })),
      },
    };
    const { input } = changedTable(released({ description: 'Another.' }), theirs, placing);
    expect(input).toMatchObject({
      Owner: 'somebody',
      Retention: 7,
      Parameters: { 'lake.formation': 'theirs' },
    });
    expect(input.StorageDescriptor).toEqual(theirs.StorageDescriptor);
  });

  it('takes an earlier first day, and never a later one', () => {
    const range = (firstDay: string) =>
      changedTable(copyJobs, found, { ...placing, firstDay }).input.Parameters?.[
        'projection.creation_date.range'
      ];
    expect([range('2024-12-31'), range('2025-06-01')]).toEqual(['2024-12-31,NOW', '2025-01-02,NOW']);
  });
});
