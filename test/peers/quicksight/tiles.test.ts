/** What the tiles show of a lake in which all is well: every drain OK, every copy made. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MemoryLake, openMemoryLake } from '../../support/memory-lake.ts';
import {
  analysis,
  data,
  database,
  datasetOf,
  definitionOf,
  deployment,
  ofType,
  replaced,
} from './deployed.ts';
import { type JsonObject, listOf, objectOf, resources } from './templates.ts';

const lastRun = '2026-03-01 02:30:00';
let lake: MemoryLake;

beforeAll(async () => {
  lake = await openMemoryLake(database);
  for (const account_id of ["'111111111111'", "'222222222222'"]) {
    for (const table_name of ["'copy_jobs'", "'copy_job_summaries'"]) {
      await lake.add('export_coverage', {
        ...{ table_name, account_id, region: "'eu-west-1'", status: "'OK'", run_id: "'a'" },
        as_of: `TIMESTAMP '${lastRun}'`,
      });
    }
    await lake.add('copy_jobs', {
      ...{ account_id, region: "'eu-west-1'", copy_job_id: account_id, resource_arn: "'arn:aws:s3:::a'" },
      creation_time: "TIMESTAMP '2026-02-28 12:00:00'",
      creation_date: "'2026-02-28'",
      ...{ state: "'COMPLETED'", is_terminal: 'true', is_cross_account: 'true' },
      // By a plan, and kept for long: no other copy surely exists.
      ...{
        created_by_backup_job_id: "'b'",
        destination_recovery_point_lifecycle_delete_after_days: '365',
      },
      ...{ destination_vault_lock_state: "'LOCKED'", destination_vault_type: "'BACKUP_VAULT'" },
    });
  }
});

afterAll(() => lake?.close());

describe('over a lake in which all is well', () => {
  it('only the tiles that count what is wrong have nothing to show', async () => {
    const nothing = ['failures', 'unrepaired', 'repair-hours', 'targets-late', 'stuck'];
    expect(await emptyTiles(analysis)).toEqual(nothing);
    const ofTrouble = replaced(
      analysis,
      'DataSetIdentifier: lake-time, ColumnName: as_of',
      'DataSetIdentifier: targets, ColumnName: last_asked_time',
    );
    expect(await emptyTiles(ofTrouble)).toContain('last-run');
  });

  it('the last run is the last run', async () => {
    const [column] = columnsOf(tiles(analysis).find(({ VisualId }) => VisualId === 'last-run') ?? {});
    if (column === undefined) throw new Error('last-run shows nothing');
    expect(await lake.valueOf(`SELECT max("${column.name}") FROM (${tableOf(column.dataset)})`)).toBe(
      lastRun,
    );
  });
});

/** The tiles with a column that has no value in any row. */
async function emptyTiles(text: string): Promise<string[]> {
  const empty: string[] = [];
  for (const tile of tiles(text)) {
    const columns = columnsOf(tile);
    expect(columns.length).toBeGreaterThan(0);
    const counts = await Promise.all(
      columns.map(({ dataset, name }) => lake.valueOf(`SELECT count("${name}") FROM (${tableOf(dataset)})`)),
    );
    if (counts.includes('0')) empty.push(String(tile.VisualId));
  }
  return empty;
}

function tiles(text: string): JsonObject[] {
  return listOf(definitionOf(text).Sheets)
    .flatMap((sheet) => listOf(objectOf(sheet).Visuals).map(objectOf))
    .flatMap(({ KPIVisual }) => (KPIVisual === undefined ? [] : [objectOf(KPIVisual)]));
}

/** The dataset's columns behind a tile's value: its own, or those that its calculation reads. */
function columnsOf({ ChartConfiguration }: JsonObject) {
  const wells = objectOf(objectOf(ChartConfiguration).FieldWells);
  return listOf(wells.Values).flatMap((value) => {
    const [measure] = Object.values(objectOf(value)).map(objectOf);
    const { DataSetIdentifier, ColumnName } = objectOf(measure?.Column);
    const dataset = String(DataSetIdentifier);
    const calculated = listOf(definitionOf(analysis).CalculatedFields)
      .map(objectOf)
      .find((field) => field.DataSetIdentifier === DataSetIdentifier && field.Name === ColumnName);
    const names =
      calculated === undefined
        ? [String(ColumnName)]
        : [...String(calculated.Expression).matchAll(/\{([^}]+)\}/g)].map(([, name = '']) => name);
    return names.map((name) => ({ dataset, name }));
  });
}

function tableOf(dataset: string): string {
  const found = ofType(resources(data, deployment), 'DataSet').find(
    ({ properties }) => properties.DataSetId === `backup-copy-${dataset}`,
  );
  if (found === undefined) throw new Error(`there is no dataset ${dataset}`);
  return datasetOf(found.properties).table;
}
