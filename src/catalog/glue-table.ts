/** A table in Glue against its definition: what is to be added or changed, and what no program may change. */
import type { Column as GlueColumn, Table as GlueTable, TableInput } from '@aws-sdk/client-glue';
import type { Table } from '../tables/table.ts';
import {
  type CatalogColumn,
  catalogColumns,
  catalogPartitions,
  type Placing,
  schemaVersionParameter,
  tableParameters,
} from './definition.ts';
import { hiveTypes } from './statements.ts';

/** As Athena's own `STORED AS PARQUET` writes it (docs.aws.amazon.com/athena/latest/ug/parquet-serde.html). */
const format = {
  InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
  OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
};
const serde = 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe';

export interface TablePlan {
  /** Lines for people; `+` is new, `~` is changed. */
  readonly changes: readonly string[];
  /** What stands in the way, each with the reason; nothing may be written while there is one. */
  readonly refusals: readonly string[];
  /** The whole table as it is to be. */
  readonly input: TableInput;
}

/** The table where Glue has none yet. */
export function newTable(table: Table, placing: Placing): TablePlan {
  const partitions = table.partitions.map(({ name }) => name).join(', ');
  return {
    changes: [`+ table ${table.name}: ${table.columns.length} columns, partitioned by ${partitions}`],
    refusals: [],
    input: {
      Name: table.name,
      Description: table.description,
      TableType: 'EXTERNAL_TABLE',
      Parameters: tableParameters(table, placing),
      PartitionKeys: catalogPartitions(table).map(glueColumn),
      StorageDescriptor: {
        Columns: catalogColumns(table).map(glueColumn),
        Location: placing.location,
        ...format,
        Compressed: false,
        NumberOfBuckets: -1,
        SerdeInfo: { SerializationLibrary: serde, Parameters: { 'serialization.format': '1' } },
        StoredAsSubDirectories: false,
      },
    },
  };
}

/**
 * The same table with what the definition adds. Columns are only ever added, behind those that are there (Athena
 * finds Parquet's columns by name: docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html);
 * parameters that this program does not own stay, and the first day never moves forward.
 */
export function changedTable(table: Table, found: GlueTable, placing: Placing): TablePlan {
  const parameters = tableParameters(table, {
    ...placing,
    firstDay: earlier(placing.firstDay, projectedFirstDay(table, found)),
  });
  const columns = merged(catalogColumns(table), found.StorageDescriptor?.Columns ?? [], 'column');
  const keys = merged(catalogPartitions(table), found.PartitionKeys ?? [], 'partition column');
  const lines = [
    ...(found.Description === table.description ? [] : ['~ description']),
    ...columns.changes,
    ...keys.changes,
    ...parameterChanges(parameters, found.Parameters ?? {}),
  ];
  return {
    changes: lines.map((line) => `${line.slice(0, 2)}${table.name}: ${line.slice(2)}`),
    refusals: [
      ...foreign(table, found, placing),
      ...columns.refusals,
      ...keys.refusals,
      ...keys.added.map((name) => `partition column ${name} is not in Glue, and none can be added`),
      ...orderOf(table, found),
    ].map((refusal) => `${table.name}: ${refusal}`),
    input: {
      ...kept(found, table.name),
      Description: table.description,
      TableType: 'EXTERNAL_TABLE',
      Parameters: { ...found.Parameters, ...parameters },
      PartitionKeys: keys.columns,
      StorageDescriptor: { ...found.StorageDescriptor, Columns: columns.columns },
    },
  };
}

/** The first day of the range that Glue has; null where it has none of the form this program writes. */
export function projectedFirstDay(table: Table, found: GlueTable): string | null {
  const name = table.partitions.at(-1)?.name;
  const range = found.Parameters?.[`projection.${name}.range`] ?? '';
  return /^(\d{4}-\d\d-\d\d)\s*,\s*NOW$/.exec(range)?.[1] ?? null;
}

function earlier(one: string, other: string | null): string {
  return other !== null && other < one ? other : one;
}

function glueColumn({ name, type, comment }: CatalogColumn): GlueColumn {
  return { Name: name, Type: hiveTypes[type], Comment: comment };
}

function merged(wanted: readonly CatalogColumn[], found: readonly GlueColumn[], what: string) {
  const changes: string[] = [];
  const refusals: string[] = [];
  const known = new Map(wanted.map((column) => [column.name, column]));
  const columns = found.map((column): GlueColumn => {
    const definition = known.get(column.Name ?? '');
    if (definition === undefined) {
      refusals.push(`${what} ${column.Name} is in Glue, and no longer in the definition`);
      return column;
    }
    const type = hiveTypes[definition.type];
    if (column.Type?.toLowerCase() !== type) {
      refusals.push(`${what} ${column.Name} is ${column.Type} in Glue, and ${type} in the definition`);
    }
    if (column.Comment === definition.comment) return column;
    changes.push(`~ comment of ${column.Name}`);
    return { ...column, Comment: definition.comment };
  });
  const there = new Set(found.map(({ Name }) => Name));
  const added = wanted.filter(({ name }) => !there.has(name));
  changes.push(...added.map(({ name, type }) => `+ ${what} ${name} ${hiveTypes[type]}`));
  return {
    changes,
    refusals,
    added: added.map(({ name }) => name),
    columns: [...columns, ...added.map(glueColumn)],
  };
}

function parameterChanges(
  wanted: Readonly<Record<string, string>>,
  found: Readonly<Record<string, string>>,
): string[] {
  return Object.entries(wanted).flatMap(([name, value]) => {
    const there = found[name];
    if (there === value) return [];
    return [
      there === undefined
        ? `+ parameter ${name}: ${value}`
        : `~ parameter ${name}: ${value}, where it is ${there}`,
    ];
  });
}

/** Reasons why the table in Glue is not one of ours, or one of a newer program. */
function foreign(table: Table, found: GlueTable, placing: Placing): string[] {
  const storage = found.StorageDescriptor;
  const reasons: string[] = [];
  if (found.TableType !== 'EXTERNAL_TABLE' || found.Parameters?.table_type !== undefined) {
    const kind = found.Parameters?.table_type ?? found.TableType;
    return [`in Glue it is a ${kind}, not an external table of Parquet files`];
  }
  if (storage?.InputFormat !== format.InputFormat || storage.SerdeInfo?.SerializationLibrary !== serde) {
    reasons.push(
      `in Glue it is read by ${storage?.SerdeInfo?.SerializationLibrary}, not as Parquet by ${serde}`,
    );
  }
  const location = `${storage?.Location?.replace(/\/+$/, '')}/`;
  if (location !== placing.location) {
    reasons.push(
      `in Glue it lies over ${storage?.Location}, not over ${placing.location}: another lake needs another --database`,
    );
  }
  const version = Number(found.Parameters?.[schemaVersionParameter] ?? 0);
  if (version > table.schemaVersion) {
    reasons.push(
      `in Glue it has schema version ${version}, this program knows ${table.schemaVersion}: update backup-copy-export`,
    );
  }
  return reasons;
}

function orderOf(table: Table, found: GlueTable): string[] {
  const there = (found.PartitionKeys ?? []).map(({ Name }) => Name).join(', ');
  const wanted = table.partitions.map(({ name }) => name).join(', ');
  return there === wanted ? [] : [`in Glue it is partitioned by ${there || 'nothing'}, not by ${wanted}`];
}

/** What Glue lets be written again of what it answered, so that nothing of a person's own is lost. */
function kept(found: GlueTable, name: string): TableInput {
  const { Owner, LastAccessTime, LastAnalyzedTime, Retention } = found;
  return {
    Name: name,
    ...(Owner == null ? {} : { Owner }),
    ...(LastAccessTime == null ? {} : { LastAccessTime }),
    ...(LastAnalyzedTime == null ? {} : { LastAnalyzedTime }),
    ...(Retention == null ? {} : { Retention }),
  };
}
