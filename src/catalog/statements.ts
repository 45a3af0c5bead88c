/** The tables and views as SQL: Athena's DDL (Hive's grammar) and Trino's. */

import { programPackage } from '../shared/program-package.ts';
import type { ColumnType, Table } from '../tables/table.ts';
import { type CatalogColumn, catalogColumns, catalogPartitions, tableParameters } from './definition.ts';
import { hiveName, hiveText, trinoName, trinoText } from './sql-literals.ts';

export type Dialect = 'athena' | 'trino';

/** A view as defined in queries/views/. */
export interface View {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** One SELECT over tables and other views, named without a database. */
  readonly sql: string;
}

export const hiveTypes: Readonly<Record<ColumnType, string>> = {
  text: 'string',
  bigint: 'bigint',
  boolean: 'boolean',
  timestamp: 'timestamp',
};

const trinoTypes: Readonly<Record<ColumnType, string>> = {
  text: 'varchar',
  bigint: 'bigint',
  boolean: 'boolean',
  timestamp: 'timestamp(3)',
};

export interface AthenaPlace {
  readonly database: string;
  /** The table's folder: `s3://bucket/prefix/table/`. */
  readonly location: string;
  /** `yyyy-MM-dd` */
  readonly firstDay: string;
  /** Default: this program's. */
  readonly programVersion?: string;
}

export interface TrinoPlace {
  readonly catalog: string;
  readonly schema: string;
  /** The table's folder as Trino names it: `s3://…/table/`, `file:///…/table/`. */
  readonly location: string;
}

/** `CREATE EXTERNAL TABLE …` for Athena, without a semicolon, because Athena runs one statement at a time. */
export function athenaTable(table: Table, place: AthenaPlace): string {
  const { location, firstDay, programVersion = programPackage().version } = place;
  const { EXTERNAL: _, ...parameters } = tableParameters(table, { location, firstDay, programVersion });
  return [
    `CREATE EXTERNAL TABLE IF NOT EXISTS ${hiveName(place.database)}.${hiveName(table.name)} (`,
    hiveColumns(catalogColumns(table)),
    ')',
    `COMMENT ${hiveText(table.description)}`,
    'PARTITIONED BY (',
    hiveColumns(catalogPartitions(table)),
    ')',
    'STORED AS PARQUET',
    `LOCATION ${hiveText(location)}`,
    'TBLPROPERTIES (',
    Object.entries(parameters)
      .map(([name, value]) => `  ${hiveText(name)} = ${hiveText(value)}`)
      .join(',\n'),
    ')',
  ].join('\n');
}

function hiveColumns(columns: readonly CatalogColumn[]): string {
  return columns
    .map(({ name, type, comment }) => `  ${hiveName(name)} ${hiveTypes[type]} COMMENT ${hiveText(comment)}`)
    .join(',\n');
}

/** `CREATE TABLE …` for a Hive catalog of Trino, without a semicolon. Its partitions must then be registered. */
export function trinoTable(table: Table, { catalog, schema, location }: TrinoPlace): string {
  const columns = [...catalogColumns(table), ...catalogPartitions(table)].map(
    ({ name, type, comment }) => `  ${trinoName(name)} ${trinoTypes[type]} COMMENT ${trinoText(comment)}`,
  );
  const partitions = table.partitions.map(({ name }) => trinoText(name)).join(', ');
  return [
    `CREATE TABLE IF NOT EXISTS ${trinoPath(catalog, schema, table.name)} (`,
    columns.join(',\n'),
    ')',
    `COMMENT ${trinoText(table.description)}`,
    'WITH (',
    `  external_location = ${trinoText(location)},`,
    `  format = 'PARQUET',`,
    `  partitioned_by = ARRAY[${partitions}]`,
    ')',
  ].join('\n');
}

/** Registers existing partitions and drops missing ones; must run again after every export. */
export function trinoPartitions(table: Table, { catalog, schema }: Omit<TrinoPlace, 'location'>): string {
  const procedure = trinoPath(catalog, 'system', 'sync_partition_metadata');
  return `CALL ${procedure}(${[schema, table.name, 'FULL'].map(trinoText).join(', ')})`;
}

export type ViewPlace =
  | { readonly dialect: 'athena'; readonly database: string }
  | { readonly dialect: 'trino'; readonly catalog: string; readonly schema: string };

/**
 * `CREATE OR REPLACE VIEW …`, without a semicolon. Names inside have no database, so the session must have the
 * database, or the catalog and schema, selected.
 */
export function createView(view: View, place: ViewPlace): string {
  const sql = view.sql.trim().replace(/;$/, '');
  if (place.dialect === 'athena') {
    return `CREATE OR REPLACE VIEW ${trinoPath(place.database, view.name)} AS\n${sql}`;
  }
  const name = trinoPath(place.catalog, place.schema, view.name);
  return `CREATE OR REPLACE VIEW ${name}\nCOMMENT ${trinoText(view.title)}\nAS\n${sql}`;
}

function trinoPath(...names: readonly string[]): string {
  return names.map(trinoName).join('.');
}
