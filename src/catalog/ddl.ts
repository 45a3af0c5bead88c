/** `catalog ddl`: all statements in the order in which to run them. */
import type { Table } from '../tables/table.ts';
import type { DdlReport } from './catalog-report.ts';
import { tableLocation } from './definition.ts';
import { hiveName, hiveText, trinoName } from './sql-literals.ts';
import { athenaTable, createView, trinoPartitions, trinoTable, type View } from './statements.ts';

export interface DdlOptions {
  readonly tables: readonly Table[];
  /** Each view comes after the views that it reads. */
  readonly views: readonly View[];
  /** The lake's URL. */
  readonly location: string;
  readonly place:
    | {
        readonly dialect: 'athena';
        readonly database: string;
        readonly firstDay: string;
        readonly programVersion: string;
      }
    | { readonly dialect: 'trino'; readonly catalog: string; readonly schema: string };
}

export function ddl({ tables, views, location, place }: DdlOptions): DdlReport {
  const statements = [...before(place)];
  for (const table of tables) {
    const own = { ...place, location: tableLocation(table, location) };
    if (own.dialect === 'athena') statements.push(athenaTable(table, own));
    else statements.push(trinoTable(table, own), trinoPartitions(table, own));
  }
  statements.push(...views.map((view) => `${selected(place)}${createView(view, place)}`));
  return { action: 'ddl', exit_code: 0, dialect: place.dialect, statements };
}

/** Views name their tables without a database, so the session must have it selected; Athena has no statement for that. */
function selected(place: DdlOptions['place']): string {
  return place.dialect === 'athena' ? `-- Select the database ${place.database} before you run this\n` : '';
}

function before(place: DdlOptions['place']): string[] {
  if (place.dialect === 'athena') {
    const comment = hiveText(databaseDescription);
    return [`CREATE DATABASE IF NOT EXISTS ${hiveName(place.database)} COMMENT ${comment}`];
  }
  const schema = `${trinoName(place.catalog)}.${trinoName(place.schema)}`;
  return [`CREATE SCHEMA IF NOT EXISTS ${schema}`, `USE ${schema}`];
}

export const databaseDescription = 'Copy jobs of AWS Backup: tables over the lake of backup-copy-export.';
