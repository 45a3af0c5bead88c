/** The files of deploy/quicksight as a person would deploy them, and what the tests want to know of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Columns } from './analysis.ts';
import { type Deployment, type JsonObject, listOf, objectOf, type Resource, resources } from './templates.ts';

export const root = join(import.meta.dirname, '../../..');
export const templates = { data: 'deploy/quicksight/data.yaml', analysis: 'deploy/quicksight/analysis.yaml' };
export const data = readFileSync(join(root, templates.data), 'utf8');
export const analysis = readFileSync(join(root, templates.analysis), 'utf8');

export const database = 'copies';
export const principal = 'arn:aws:quicksight:eu-west-1:111122223333:user/default/somebody';
const key = 'arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012';
export const deployment: Deployment = {
  account: '111122223333',
  region: 'eu-west-1',
  parameters: {
    PrincipalArn: principal,
    LakeBucketArn: 'arn:aws:s3:::the-lake',
    LakeKmsKeyArn: key,
    Database: database,
    WorkGroup: 'the-workgroup',
    ResultsBucketArn: 'arn:aws:s3:::the-results',
    ResultsPrefix: 'athena/',
    ResultsKmsKeyArn: key,
  },
  attribute: (logicalId, attribute) =>
    attribute === 'Arn' ? `arn:aws:quicksight:eu-west-1:111122223333:made-up/${logicalId}` : undefined,
};

export interface DataSet {
  /** What DuckDB can describe. */
  readonly table: string;
  readonly isView: boolean;
  readonly columns: ReadonlyMap<string, string>;
  /** Columns of text that are days, and cast to times. */
  readonly casts: readonly string[];
}

export function datasetOf(properties: JsonObject): DataSet {
  const [source] = Object.values(objectOf(properties.PhysicalTableMap)).map(objectOf);
  const { RelationalTable, CustomSql } = source ?? {};
  const { Schema, Name, SqlQuery, InputColumns, Columns } = objectOf(RelationalTable ?? CustomSql);
  const columns = listOf(InputColumns ?? Columns).map(objectOf);
  const transforms = Object.values(objectOf(properties.LogicalTableMap)).flatMap((table) =>
    listOf(objectOf(table).DataTransforms ?? []).map((transform) =>
      objectOf(objectOf(transform).CastColumnTypeOperation),
    ),
  );
  return {
    // QuickSight asks for columns of a custom query as of a subquery.
    table:
      RelationalTable === undefined
        ? `SELECT * FROM (${SqlQuery}) AS "custom"`
        : `SELECT * FROM "${Schema}"."${Name}"`,
    isView: RelationalTable !== undefined,
    columns: new Map(columns.map((column) => [String(column.Name), String(column.Type)])),
    casts: transforms.map(({ ColumnName }) => String(ColumnName)),
  };
}

/** By the identifiers that the analysis has for them: a dataset's id without its prefix. */
export function columnsByDataset(text: string): ReadonlyMap<string, Columns> {
  return new Map(
    ofType(resources(text, deployment), 'DataSet').map(({ properties }) => {
      const { columns, casts } = datasetOf(properties);
      const seen = [...columns].map(
        ([name, type]) => [name, casts.includes(name) ? 'DATETIME' : type] as const,
      );
      return [String(properties.DataSetId).replace('backup-copy-', ''), new Map(seen)];
    }),
  );
}

export function definitionOf(text: string): JsonObject {
  const [only] = ofType(resources(text, deployment), 'Analysis');
  return objectOf(only?.properties.Definition);
}

export function ofType(all: readonly Resource[], kind: string): Resource[] {
  return all.filter(({ type }) => type === `AWS::QuickSight::${kind}`);
}

/** Fails where there is nothing to replace: the break would be none. */
export function replaced(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`there is no ${from}`);
  return text.replace(from, to);
}
