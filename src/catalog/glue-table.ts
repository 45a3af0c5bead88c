/** Compares a table in Glue with its definition: what to add or change, and what no program may change. */
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

/** What Athena's own `STORED AS PARQUET` writes (docs.aws.amazon.com/athena/latest/ug/parquet-serde.html). */
const format = {
  InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
  OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
};
const serde = 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe';

export interface TablePlan {
  /** Lines for people; `+` is new, `~` is changed. */
  readonly changes: readonly string[];
  /** Reasons against a change; while there is one, nothing may be written. */
  readonly refusals: readonly string[];
  /** The whole table after the change. */
  readonly input: TableInput;
}

/** A table that Glue does not have yet. */
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
 * An existing table with what the definition adds. New columns go after the existing ones (Athena finds Parquet columns
 * by name: docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html). Parameters that this program
 * does not own stay, and the first day never moves forward.
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
      ...keys.added.map(
        (name) => `Glue lacks the partition column ${name}, and partition columns cannot be added`,
      ),
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

/** The first day of the range in Glue; null if it has no range in the form that this program writes. */
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
      refusals.push(`${what} ${column.Name} is in Glue, but no longer in the definition`);
      return column;
    }
    const type = hiveTypes[definition.type];
    if (column.Type?.toLowerCase() !== type) {
      refusals.push(`${what} ${column.Name} is ${column.Type} in Glue, but ${type} in the definition`);
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
      there === undefined ? `+ parameter ${name}: ${value}` : `~ parameter ${name}: ${value}, was ${there}`,
    ];
  });
}

/** Reasons why the table in Glue is not this program's, or is a newer program's. */
function foreign(table: Table, found: GlueTable, placing: Placing): string[] {
  const storage = found.StorageDescriptor;
  const reasons: string[] = [];
  if (found.TableType !== 'EXTERNAL_TABLE' || found.Parameters?.table_type !== undefined) {
    const kind = found.Parameters?.table_type ?? found.TableType;
    return [`Glue has a ${kind} of this name, not an external table of Parquet files`];
  }
  if (storage?.InputFormat !== format.InputFormat || storage.SerdeInfo?.SerializationLibrary !== serde) {
    reasons.push(
      `Glue reads it with ${storage?.SerdeInfo?.SerializationLibrary}, not as Parquet with ${serde}`,
    );
  }
  const location = `${storage?.Location?.replace(/\/+$/, '')}/`;
  if (location !== placing.location) {
    reasons.push(
      `Glue has it at ${storage?.Location}, not at ${placing.location}; use another --database for another lake`,
    );
  }
  const version = Number(found.Parameters?.[schemaVersionParameter] ?? 0);
  if (version > table.schemaVersion) {
    reasons.push(
      `Glue has schema version ${version}, this program knows ${table.schemaVersion}; update backup-copy-export`,
    );
  }
  return reasons;
}

function orderOf(table: Table, found: GlueTable): string[] {
  const there = (found.PartitionKeys ?? []).map(({ Name }) => Name).join(', ');
  const wanted = table.partitions.map(({ name }) => name).join(', ');
  return there === wanted ? [] : [`Glue has it partitioned by ${there || 'nothing'}, not by ${wanted}`];
}

/** The fields of Glue's response that may be written back, so that nobody's own settings are lost. */
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
