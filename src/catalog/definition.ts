/** Columns, partitions and parameters of a table in a catalog, derived from its definition: the same for Glue and DDL. */
import type { Column, ColumnType, PartitionColumn, Table } from '../tables/table.ts';

/** A column or partition column in a catalog. */
export interface CatalogColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly comment: string;
}

/** Glue's limit for comments (botocore, glue/2017-03-31, CommentString). */
const maximumComment = 255;

/** The table's columns, in their order. */
export function catalogColumns(table: Table): readonly CatalogColumn[] {
  return table.columns.map((column) => ({
    name: column.name,
    type: column.type,
    comment: shortened(`${column.description}${unitOf(column)}`),
  }));
}

/** The partition columns. They are always text, whatever their values look like. */
export function catalogPartitions(table: Table): readonly CatalogColumn[] {
  return table.partitions.map(({ name, description }) => ({
    name,
    type: 'text',
    comment: shortened(description),
  }));
}

function unitOf({ unit, type }: Column): string {
  return unit === undefined || type === 'timestamp' ? '' : ` (${unit})`;
}

/** Cuts at the end of a sentence or, if there is none, of a word. */
function shortened(text: string): string {
  if (text.length <= maximumComment) return text;
  const kept = text.slice(0, maximumComment - 2);
  const sentence = kept.lastIndexOf('. ');
  return sentence > 0 ? `${kept.slice(0, sentence + 1)} …` : `${kept.slice(0, kept.lastIndexOf(' '))} …`;
}

/** The values of a projected partition column: a fixed set, or a range of days that ends today. */
type Projection =
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'days'; readonly firstDay: string };

function projectionOf({ values }: PartitionColumn, firstDay: string): Projection {
  return values.kind === 'day' ? { kind: 'days', firstDay } : { kind: 'enum', values: values.texts };
}

/** The folder of a table below the lake's URL, with a slash at the end. */
export function tableLocation(table: Table, lakeLocation: string): string {
  return `${lakeLocation.replace(/\/+$/, '')}/${table.name}/`;
}

/** Prefix of this program's parameters, except those that Athena itself defines. */
const own = 'backup_copy_export.';
export const schemaVersionParameter = `${own}schema_version`;
export const programVersionParameter = `${own}program_version`;
/** A parameter of the database: the SHA-256 of the statement that created the view. */
export function viewParameter(view: string): string {
  return `${own}view.${view}`;
}

export interface Placing {
  /** `s3://bucket/prefix/table/`, with a slash at the end. */
  readonly location: string;
  /** The first day that the table covers, `yyyy-MM-dd`. */
  readonly firstDay: string;
  readonly programVersion: string;
}

/**
 * The table's parameters for Athena, by name: versions, and partition projection, so that no partition ever has to be
 * registered (docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html).
 */
export function tableParameters(
  table: Table,
  { location, firstDay, programVersion }: Placing,
): Readonly<Record<string, string>> {
  const parameters: Record<string, string> = {
    EXTERNAL: 'TRUE',
    classification: 'parquet',
    'projection.enabled': 'true',
  };
  for (const partition of table.partitions) {
    const { name } = partition;
    const projection = projectionOf(partition, firstDay);
    const set = (what: string, value: string) => {
      parameters[`projection.${name}.${what}`] = value;
    };
    if (projection.kind === 'enum') {
      set('type', 'enum');
      set('values', projection.values.join(','));
    } else {
      set('type', 'date');
      set('format', 'yyyy-MM-dd');
      set('range', `${projection.firstDay},NOW`);
      set('interval', '1');
      set('interval.unit', 'DAYS');
    }
  }
  const folders = table.partitions.map(({ name }) => `${name}=\${${name}}/`).join('');
  parameters['storage.location.template'] = `${location}${folders}`;
  parameters[schemaVersionParameter] = String(table.schemaVersion);
  parameters[programVersionParameter] = programVersion;
  return parameters;
}
