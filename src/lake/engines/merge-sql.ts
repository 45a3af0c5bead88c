/**
 * The merge rules of merge.ts in DuckDB's SQL. Window functions use narrow columns only: over wide rows they run out of
 * memory where joins and aggregates do not.
 *
 * Every rule creates four tables: `merged`, the stored columns of the rows with staged observations; `verdicts`, one row
 * for each with the `verdict` added, updated, unchanged or removed; `kept`, the published rows that stay; and `unlike`, the
 * keys or slices that StagedFate names. `kept` and `merged` together are the new part.
 */
import { type ColumnType, comparedColumns, type Table } from '../../tables/table.ts';
import { typedEnding } from '../staged-files.ts';
import { longestStagedLine, stagedColumns } from '../staged-line.ts';
import { contentColumns, hasColumn, storedColumns, targetPrecedence, tieColumns } from './column-roles.ts';
import { historiesSql } from './merged-history-sql.ts';
import { maxTimestamp } from './part-schema.ts';
import { quoteFile, quoteName, quoteText, sqlTypes } from './sql-text.ts';

/** Aggregates over wide rows run in chunks, so that they fit into memory. */
const chunks = [0, 1, 2, 3, 4, 5, 6, 7];

type Partition = Readonly<Record<string, string>>;

/**
 * One statement, or steps that run only if the query `onlyIf` returns true. For a small part, DuckDB takes longer to plan a
 * statement over all columns than to run it, so statements that rarely have anything to do are conditional.
 */
export type MergeStep =
  | string
  | {
      readonly onlyIf: string;
      readonly steps: readonly MergeStep[];
      readonly otherwise?: readonly MergeStep[];
    };

/** The SQL for a text column: the text itself, or a shorter text that is equal for equal texts. */
export type InPlace = (column: string, text: string) => string;

const itself: InPlace = (_column, text) => text;

/** Creates `staged`: the staged rows with explicit types. If DuckDB guessed, ids would become UUIDs, and texts dates. */
export function stageSql(table: Table, files: readonly string[], inPlace: InPlace = itself): string {
  return `CREATE TEMP TABLE staged AS ${stagedRowsSql(table, files, inPlace)}`;
}

function stagedRowsSql(table: Table, files: readonly string[], inPlace: InPlace = itself): string {
  const columns = storedColumns(table);
  const valuesOf = (read: (name: string, type: ColumnType) => string) =>
    columns.map(({ name, type }) => {
      const value = read(name, type);
      return `${type === 'text' ? inPlace(name, value) : value} AS ${quoteName(name)}`;
    });
  const { lines, typed } = byForm(files);
  const selects = [
    ...(lines.length === 0 ? [] : [`SELECT ${valuesOf(stagedValue)} FROM ${readLinesSql(table, lines)}`]),
    ...(typed.length === 0 ? [] : [`SELECT ${valuesOf(quoteName)} FROM ${readTypedSql(typed)}`]),
  ];
  return selects.length === 0 ? noRowsSql(table) : selects.join(' UNION ALL ');
}

function byForm(files: readonly string[]) {
  return {
    lines: files.filter((file) => !file.endsWith(typedEnding)),
    typed: files.filter((file) => file.endsWith(typedEnding)),
  };
}

/** What a query can read from: a column of text in staged rows. */
export function stagedTextSql(table: Table, name: string, files: readonly string[]): string {
  const { lines, typed } = byForm(files);
  const text = quoteName(name);
  const selects = [
    ...(lines.length === 0 ? [] : [`SELECT ${text} FROM ${readLinesSql(table, lines)}`]),
    ...(typed.length === 0 ? [] : [`SELECT ${text} FROM ${readTypedSql(typed)}`]),
  ];
  return `(${selects.join(' UNION ALL ')})`;
}

export function readTypedSql(files: readonly string[]): string {
  return `read_parquet([${files.map(quoteFile)}], hive_partitioning = false)`;
}

/** Writes staged lines as typed rows, so that whoever reads some of the accounts can skip most of the row groups. */
export function typedSql(table: Table, lines: string, output: string, compact: boolean): string {
  const codec = compact ? 'zstd, COMPRESSION_LEVEL 1' : 'lz4_raw';
  const sorted = table.sortBy
    .slice(0, 1)
    .filter((name) => storedColumns(table).some((one) => one.name === name));
  const order = sorted.length === 0 ? '' : `ORDER BY ${sorted.map(quoteName)}`;
  return `COPY (${stagedRowsSql(table, [lines])} ${order}) TO ${quoteText(output)}
    (FORMAT parquet, COMPRESSION ${codec}, ROW_GROUP_SIZE ${vectorRows})`;
}

/**
 * Lines as in staged-line.ts. A text may have line breaks, which DuckDB finds for sure only if it reads a file from its
 * beginning: `parallel = false` (github.com/duckdb/duckdb/pull/10306). If a line were longer than its buffer, the last one could
 * be lost without an error (github.com/duckdb/duckdb/issues/25825); none is.
 */
function readLinesSql(table: Table, files: readonly string[]): string {
  const types = stagedColumns(table).map(({ name, type }) => `${quoteName(name)}: '${stagedTypes[type]}'`);
  return `read_csv([${files.map(quoteFile)}], auto_detect = false, header = false, hive_partitioning = false,
    delim = ',', quote = '"', escape = '"', new_line = '\\n', nullstr = '', allow_quoted_nulls = false, strict_mode = true,
    parallel = false, max_line_size = ${longestStagedLine}, buffer_size = ${2 * longestStagedLine}, columns = {${types}})`;
}

/**
 * The statement that creates `units`: the keys of an upsert, or the slices, of staged lines.
 * @param names the columns of a unit
 */
export function unitsSql(table: Table, names: readonly string[], lines: readonly string[]): string {
  const columns = table.columns.filter(({ name }) => names.includes(name));
  const values = columns.map(({ name, type }) => `${stagedValue(name, type)} AS ${quoteName(name)}`);
  return `CREATE TEMP TABLE units AS SELECT DISTINCT ${values} FROM ${readLinesSql(table, lines)}`;
}

/** The published rows whose unit is staged, as they stand in the part. Reads `units`. */
export function touchedSql(names: readonly string[], part: string): string {
  return `SELECT e.* FROM ${readPartSql(part)} e SEMI JOIN units u ON ${match('e', 'u', names)}`;
}

/**
 * The new part: the rows of `existing` whose unit is not staged, and the merged rows of the others.
 * @param merged lines as `fewRowsSql` takes them; null: none
 */
export function exchangedSql(
  table: Table,
  partition: Partition,
  names: readonly string[],
  merged: string | null,
): string {
  const stored = storedColumns(table).map(({ name }) => quoteName(name));
  return sortedSql(
    table,
    `SELECT ${stored} FROM existing e ANTI JOIN units u ON ${match('e', 'u', names)}
     UNION ALL SELECT ${stored} FROM (${fewRowsSql(table, merged)})`,
    partition,
  );
}

/**
 * The rows of a new part, as lines in its order, with derived columns and exact numbers.
 * @param lines null: there are none
 */
export function fewRowsSql(table: Table, lines: string | null): string {
  const values = table.columns.map(({ name, type }) => {
    const column = quoteName(name);
    if (lines === null) return `NULL::${sqlTypes[type]} AS ${column}`;
    return type === 'timestamp' ? `make_timestamp_ms(${column})::TIMESTAMP_MS AS ${column}` : column;
  });
  if (lines === null) return `SELECT ${values} WHERE false`;
  const types = table.columns.map(
    ({ name, type }) => `${quoteName(name)}: '${type === 'timestamp' ? 'BIGINT' : sqlTypes[type]}'`,
  );
  return `SELECT ${values} FROM read_json(${quoteFile(lines)}, format = 'newline_delimited', auto_detect = false,
    hive_partitioning = false, maximum_object_size = ${longestStagedLine}, columns = {${types}})`;
}

/** Numbers are read as doubles, which are exact in the allowed range. A number outside it is an error, never rounded. */
const stagedTypes: Readonly<Record<ColumnType, string>> = {
  text: 'VARCHAR',
  bigint: 'DOUBLE',
  boolean: 'BOOLEAN',
  timestamp: 'DOUBLE',
};

function stagedValue(name: string, type: ColumnType): string {
  const value = quoteName(name);
  if (type === 'text' || type === 'boolean') return value;
  const bound = type === 'bigint' ? Number.MAX_SAFE_INTEGER : maxTimestamp;
  const exact = type === 'bigint' ? `${value}::BIGINT` : `make_timestamp_ms(${value}::BIGINT)::TIMESTAMP_MS`;
  const refusal = quoteText(`column ${name}: not an exact ${type}: `);
  // One condition that is hardly ever true: with one for each kind of value, a row takes a tenth longer. NaN is beyond any bound.
  return `CASE WHEN ${value} <> trunc(${value}) OR abs(${value}) > ${bound} THEN error(${refusal} || ${value}) ELSE ${exact} END`;
}

/**
 * Creates `existing`: the stored columns of the published part. Columns that it lacks are null, and so are observation
 * times after `latest`.
 */
export function existingSql(
  table: Table,
  file: string | null,
  present: ReadonlyMap<string, string>,
  latest?: number,
  inPlace?: InPlace,
): string {
  const values = storedColumns(table).map(({ name, type }) => {
    const stored = present.get(name);
    if (stored === undefined) return `NULL::${sqlTypes[type]} AS ${quoteName(name)}`;
    // A cast from a timestamp with time zone would use the session's time zone.
    const value = stored.endsWith('WITH TIME ZONE')
      ? `make_timestamp_ms(epoch_ms(${quoteName(name)}))`
      : quoteName(name);
    const cast = `${value}::${sqlTypes[type]}`;
    const typed = type === 'text' && inPlace !== undefined ? inPlace(name, cast) : cast;
    return `${observationTimes.has(name) ? believed(typed, latest) : typed} AS ${quoteName(name)}`;
  });
  if (file === null) return `CREATE TEMP VIEW existing AS ${noRowsSql(table)}`;
  // With short texts the rows fit into memory, so a table is created once. Otherwise the part is read when needed.
  return `CREATE TEMP ${inPlace === undefined ? 'VIEW' : 'TABLE'} existing AS SELECT ${values} FROM ${readPartSql(file)}`;
}

export function readPartSql(file: string): string {
  return `read_parquet([${quoteFile(file)}], hive_partitioning = false)`;
}

const observationTimes: ReadonlySet<string> = new Set(['observed_at', 'first_observed_at']);

function believed(time: string, latest: number | undefined): string {
  if (latest === undefined) return time;
  return `CASE WHEN ${time} <= make_timestamp_ms(${Math.floor(latest)})::TIMESTAMP_MS THEN ${time} END`;
}

function noRowsSql(table: Table): string {
  const values = storedColumns(table).map(
    ({ name, type }) => `NULL::${sqlTypes[type]} AS ${quoteName(name)}`,
  );
  return `SELECT ${values} WHERE false`;
}

const nothingUnlike = 'CREATE TEMP VIEW unlike AS SELECT 0 AS none WHERE false';

/**
 * The statements that create `merged`, `verdicts`, `kept` and `unlike` from `staged` and `existing`.
 * @param isNew whether there is no published part; @param latest see MergeRequest
 */
export function mergeSql(
  table: Table,
  partition: Partition,
  isNew: boolean,
  latest?: number,
): readonly MergeStep[] {
  switch (table.merge.kind) {
    case 'upsert':
      return [
        ...differingSql(table, table.merge.key, isNew),
        {
          onlyIf: 'SELECT count(*) > 0 FROM differing',
          steps: isNew
            ? firstPartSql(table, table.merge.key, partition, latest)
            : upsertSql(table, table.merge.key, partition, latest),
          // Nothing changes, so nobody asks for `merged` and `kept`.
          otherwise: [
            `CREATE TEMP VIEW verdicts AS
             SELECT 'unchanged' AS verdict FROM identical`,
            nothingUnlike,
          ],
        },
      ];
    case 'replace-slice':
      return slicesSql(table, table.merge.slice, table.merge.key);
    case 'append':
      return [
        'CREATE TEMP VIEW merged AS SELECT * FROM staged',
        `CREATE TEMP VIEW verdicts AS
         SELECT 'added' AS verdict FROM staged`,
        'CREATE TEMP VIEW kept AS SELECT * FROM existing',
        nothingUnlike,
      ];
  }
}

/**
 * Most staged rows are already published. `identical` has the keys whose staged rows all equal the published row;
 * `differing` has the staged rows of all other keys.
 */
function differingSql(table: Table, key: readonly string[], isNew: boolean): readonly string[] {
  const keys = key.map((name) => `s.${quoteName(name)}`);
  if (isNew) {
    return [
      `CREATE TEMP TABLE identical AS SELECT ${keys} FROM staged s WHERE false`,
      'ALTER TABLE staged RENAME TO differing',
    ];
  }
  return [
    `CREATE TEMP TABLE identical AS SELECT ${keys} FROM staged s JOIN existing e ON ${match('s', 'e', key)}
     GROUP BY ${keys} HAVING bool_and(NOT (${differs(table, 's', 'e')} OR ${isDated('e', 's')})) AND count(*) = count(DISTINCT s.rowid)`,
    `CREATE TEMP TABLE differing AS SELECT * FROM staged s ANTI JOIN identical e ON ${match('s', 'e', key)}`,
    'DROP TABLE staged',
  ];
}

/** Without a published part, and with one observation of each key, every observation becomes a row. */
function firstPartSql(
  table: Table,
  key: readonly string[],
  partition: Partition,
  latest: number | undefined,
): readonly MergeStep[] {
  const keys = key.map(quoteName);
  return [
    {
      onlyIf: `SELECT count(*) = (SELECT count(*) FROM (SELECT DISTINCT ${keys} FROM differing)) FROM differing`,
      steps: [
        `CREATE TEMP VIEW merged AS SELECT ${onlyObservationSql(table)} FROM differing`,
        `CREATE TEMP VIEW verdicts AS SELECT ${keys}, 'added' AS verdict FROM differing`,
        'CREATE TEMP VIEW kept AS SELECT * FROM existing',
        nothingUnlike,
      ],
      otherwise: upsertSql(table, key, partition, latest),
    },
  ];
}

/** The stored columns of a row that is the only observation of its key. */
function onlyObservationSql(table: Table): readonly string[] {
  return storedColumns(table).map(({ name }) =>
    name === 'first_observed_at'
      ? 'coalesce(first_observed_at, observed_at) AS first_observed_at'
      : quoteName(name),
  );
}

function upsertSql(
  table: Table,
  key: readonly string[],
  partition: Partition,
  latest: number | undefined,
): readonly MergeStep[] {
  const keys = key.map(quoteName);
  const own = keys.map((name) => `n.${name}`);
  const stored = storedColumns(table).map(({ name }) => quoteName(name));
  const content = contentColumns(table).map(({ name }) => quoteName(name));
  const column = (name: string, orElse: string) => (hasColumn(table, name) ? quoteName(name) : orElse);
  const target = targetPrecedence(table).map(quoteName);
  const targetOrder = [
    '_owned DESC',
    '_at_source DESC',
    ...target.map((_, at) => `_target_${at} NULLS FIRST`),
  ];
  /** The columns that do not come from the winner's own row; `r` is a row of `ranked`. */
  const elsewhere = new Map([
    ...target.map((name, at) => [name, `r._target_${at}`] as const),
    ['"first_observed_at"', 'r._first_seen'] as const,
    ['"state_history"', 'coalesce(r._history, o.state_history)'] as const,
  ]);
  const hasHistory = hasColumn(table, 'state_history');
  const isRewritten = hasHistory ? ' OR t.state_history <> m.state_history' : '';
  const winner = stored.map((name) => `${elsewhere.get(name) ?? `o.${name}`} AS ${name}`);
  const filled = stored.map((name) => {
    if (content.includes(name)) return `arg_min(o.${name}, r._ord) AS ${name}`;
    return `any_value(${elsewhere.get(name) ?? `o.${name}`}) FILTER (r._ord = 1) AS ${name}`;
  });
  return [
    `CREATE TEMP TABLE touched AS SELECT * FROM existing e SEMI JOIN differing s ON ${match('e', 's', key)}`,
    `CREATE TEMP VIEW observations AS ${withDerivedSql(
      table,
      `SELECT rowid AS _row, false AS _published, ${stored} FROM differing
       UNION ALL SELECT rowid, true, ${stored} FROM touched`,
      partition,
    )}`,
    `CREATE TEMP TABLE narrow AS SELECT _row, _published, ${keys},
       coalesce(${column('is_terminal', 'false')}, false) AS _terminal, observed_at,
       coalesce(${column('first_observed_at', 'NULL')}, observed_at) AS _seen,
       coalesce(${column('queried_account_id', 'NULL')} = ${column('account_id', 'NULL')}, false) AS _owned,
       coalesce(${column('region', 'NULL')} = ${column('source_region', 'NULL')}, false) AS _at_source
       ${target.map((name, at) => `, ${name} AS _target_${at}`).join('')}
     FROM observations`,
    `CREATE TEMP TABLE tied AS SELECT DISTINCT ${keys} FROM (
       SELECT ${keys} FROM narrow GROUP BY ${keys}, _terminal, observed_at HAVING count(*) > 1)`,
    'CREATE TEMP TABLE ties (_row BIGINT, _published BOOLEAN, _tie_ord BIGINT)',
    {
      onlyIf: 'SELECT count(*) > 0 FROM tied',
      steps: [
        `INSERT INTO ties SELECT _row, _published,
           row_number() OVER (PARTITION BY ${keys} ORDER BY ${greatestFirst(table)})
         FROM observations o SEMI JOIN tied t ON ${match('o', 't', key)}`,
      ],
    },
    `CREATE TEMP TABLE histories AS SELECT ${keys}, ''::VARCHAR AS _history FROM narrow WHERE false`,
    ...(hasHistory
      ? [
          `CREATE TEMP TABLE several AS SELECT ${keys} FROM narrow GROUP BY ${keys} HAVING count(*) > 1`,
          {
            onlyIf: 'SELECT count(*) > 0 FROM several',
            steps: historiesSql(keys, match('o', 's', key), latest),
          },
        ]
      : []),
    `CREATE TEMP TABLE ranked AS SELECT n._row, n._published, ${own}, h._history, _terminal,
       min(_seen) OVER (PARTITION BY ${own}) AS _first_seen,
       count(*) FILTER (_terminal) OVER (PARTITION BY ${own}) AS _terminals,
       row_number() OVER (PARTITION BY ${own}
         ORDER BY _terminal DESC, observed_at DESC NULLS LAST, n._published, _tie_ord) AS _ord
       ${target.map((_, at) => `, first_value(_target_${at}) OVER (PARTITION BY ${own} ORDER BY ${targetOrder}) AS _target_${at}`).join('')}
     FROM narrow n LEFT JOIN ties t ON n._row = t._row AND n._published = t._published
     LEFT JOIN histories h ON ${match('n', 'h', key)}`,
    'DROP TABLE narrow',
    'DROP TABLE ties',
    `CREATE TEMP TABLE filled AS SELECT ${stored} FROM differing WHERE false`,
    {
      onlyIf: 'SELECT count(*) > 0 FROM ranked WHERE _terminals > 1',
      steps: chunks.map(
        (chunk) => `INSERT INTO filled SELECT ${filled}
         FROM observations o JOIN ranked r ON o._row = r._row AND o._published = r._published
         WHERE r._terminals > 1 AND r._terminal AND hash(${keys.map((name) => `r.${name}`)}) % ${chunks.length} = ${chunk}
         GROUP BY ${keys.map((name) => `r.${name}`)}`,
      ),
    },
    `CREATE TEMP VIEW merged AS SELECT ${winner}
     FROM observations o JOIN ranked r ON o._row = r._row AND o._published = r._published
     WHERE r._ord = 1 AND r._terminals <= 1 UNION ALL SELECT ${stored} FROM filled`,
    `CREATE TEMP TABLE before AS SELECT ${keys}, min(_row) AS _row, count(*) AS _copies
     FROM ranked WHERE _published GROUP BY ${keys}`,
    `CREATE TEMP TABLE verdicts AS SELECT ${keys.map((name) => `m.${name}`)},
       CASE WHEN b._copies IS NULL THEN 'added'
            WHEN b._copies > 1 OR ${differs(table, 't', 'm')} OR ${isDated('t', 'm')}${isRewritten} THEN 'updated'
            ELSE 'unchanged' END AS verdict
     FROM merged m LEFT JOIN before b ON ${match('m', 'b', key)} LEFT JOIN touched t ON t.rowid = b._row
     UNION ALL SELECT ${keys}, 'unchanged' FROM identical`,
    `CREATE TEMP VIEW kept AS SELECT * FROM existing e
     ANTI JOIN (FROM verdicts WHERE verdict <> 'unchanged') v ON ${match('e', 'v', key)}`,
    // A row with a single observation is like it.
    `CREATE TEMP VIEW unlike AS SELECT DISTINCT ${keys.map((name) => `m.${name}`)} FROM merged m
     JOIN ${hasHistory ? `(FROM differing d SEMI JOIN several s ON ${match('d', 's', key)})` : 'differing'} d ON ${match('d', 'm', key)}
     WHERE ${differs(table, 'd', 'm')} OR m.observed_at IS NULL`,
  ];
}

function slicesSql(table: Table, slice: readonly string[], key: readonly string[]): readonly string[] {
  const slices = slice.map(quoteName);
  const keys = key.map(quoteName);
  const stored = storedColumns(table).map(({ name }) => quoteName(name));
  const isSame = `o._copies IS NOT DISTINCT FROM 1 AND NOT (${differs(table, 't', 'f')} OR ${isDated('t', 'f')})`;
  const values = stored.map((name) => {
    const fresh =
      name === '"first_observed_at"'
        ? 'least(o._first_seen, coalesce(f.first_observed_at, f.observed_at))'
        : `f.${name}`;
    return `CASE WHEN ${isSame} THEN t.${name} ELSE ${fresh} END AS ${name}`;
  });
  return [
    `CREATE TEMP TABLE slices AS SELECT ${slices}, max(observed_at) AS _latest FROM staged GROUP BY ${slices}`,
    `CREATE TEMP TABLE replaced AS SELECT s.* FROM slices s LEFT JOIN (
       SELECT ${slices}, max(observed_at) AS _latest FROM existing GROUP BY ${slices}) p
       ON ${match('s', 'p', slice)}
     WHERE p._latest IS NULL OR p._latest <= s._latest`,
    `CREATE TEMP TABLE drained AS SELECT f.* FROM staged f
     SEMI JOIN slices s ON ${match('f', 's', slice)} AND f.observed_at IS NOT DISTINCT FROM s._latest
     QUALIFY row_number() OVER (PARTITION BY ${keys} ORDER BY ${greatestFirst(table)}) = 1`,
    `CREATE TEMP TABLE fresh AS SELECT f.* FROM drained f SEMI JOIN replaced s ON ${match('f', 's', slice)}`,
    `CREATE TEMP TABLE touched AS SELECT e.* FROM existing e SEMI JOIN replaced s ON ${match('e', 's', slice)}`,
    `CREATE TEMP TABLE olds AS SELECT ${keys}, min(rowid) AS _row, count(*) AS _copies,
       min(coalesce(first_observed_at, observed_at)) AS _first_seen FROM touched GROUP BY ${keys}`,
    `CREATE TEMP TABLE merged AS SELECT ${values} FROM fresh f
     LEFT JOIN olds o ON ${match('f', 'o', key)} LEFT JOIN touched t ON t.rowid = o._row`,
    `CREATE TEMP TABLE verdicts AS SELECT
       CASE WHEN o._copies IS NULL THEN 'added' WHEN ${isSame} THEN 'unchanged' ELSE 'updated' END AS verdict
     FROM fresh f LEFT JOIN olds o ON ${match('f', 'o', key)} LEFT JOIN touched t ON t.rowid = o._row
     UNION ALL SELECT 'unchanged' FROM drained f ANTI JOIN replaced s ON ${match('f', 's', slice)}
     UNION ALL SELECT 'removed' FROM olds o ANTI JOIN fresh f ON ${match('o', 'f', key)}`,
    `CREATE TEMP VIEW kept AS SELECT e.* FROM existing e ANTI JOIN replaced s ON ${match('e', 's', slice)}`,
    `CREATE TEMP VIEW unlike AS SELECT ${slices} FROM slices f ANTI JOIN replaced s ON ${match('f', 's', slice)}`,
  ];
}

/** The new part: `kept` and the changed rows of `merged`, sorted, with derived columns recomputed. */
export function partSql(table: Table, partition: Partition): string {
  const stored = storedColumns(table).map(({ name }) => quoteName(name));
  const changed =
    table.merge.kind === 'upsert'
      ? `SELECT ${stored} FROM merged m SEMI JOIN (FROM verdicts WHERE verdict <> 'unchanged') v
         ON ${match('m', 'v', table.merge.key)}`
      : `SELECT ${stored} FROM merged`;
  return sortedSql(table, `SELECT ${stored} FROM kept UNION ALL ${changed}`, partition);
}

/**
 * The new part if there is none yet and each staged row becomes one of its rows.
 * @param where which of them; default: all
 */
export function onlyStagedSql(
  table: Table,
  partition: Partition,
  files: readonly string[],
  where = 'true',
): string {
  const rows = `SELECT ${onlyObservationSql(table)} FROM (${stagedRowsSql(table, files)}) WHERE ${where}`;
  return sortedSql(table, rows, partition);
}

function sortedSql(table: Table, stored: string, partition: Partition): string {
  const rows = withDerivedSql(table, stored, partition);
  const columns = table.columns.map(
    ({ name, type }) => `${quoteName(name)}::${sqlTypes[type]} AS ${quoteName(name)}`,
  );
  return `SELECT ${columns} FROM (${rows}) ORDER BY ${table.sortBy.map((name) => `${quoteName(name)} ASC NULLS FIRST`)}`;
}

/** DuckDB works on so many rows at a time. */
export const vectorRows = 2_048;

/**
 * Rows in a row group: a multiple of DuckDB's vectors. Small, so that readers skip most of a part by account; half as many rows
 * would cost 3 % more bytes. zstd's level 1 makes these files no larger than its default, for less CPU. Both are measured
 * by bench/part-quality.ts.
 */
export const groupRows = 5 * vectorRows;

export interface RowGroups {
  /** Rows in each. Default: as in other parts. */
  readonly rows?: number;
  /** Their approximate size before compression; requires `preserve_insertion_order` to be off. Default: any. */
  readonly bytes?: number;
}

/** Writes the part. Row groups are small, so that readers can skip them by account. */
export function copySql(
  select: string,
  file: string,
  metadata: Readonly<Record<string, string>>,
  { rows = groupRows, bytes }: RowGroups = {},
): string {
  const entries = Object.entries(metadata).map(([name, value]) => `${quoteName(name)}: ${quoteText(value)}`);
  const keyValues = entries.length === 0 ? '' : `, KV_METADATA {${entries}}`;
  const mostBytes = bytes === undefined ? '' : `, ROW_GROUP_SIZE_BYTES ${bytes}`;
  return `COPY (${select}) TO ${quoteText(file)}
    (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE ${rows}${mostBytes}${keyValues})`;
}

/** A derived column may use the partition's values and the derived columns before it. */
function withDerivedSql(table: Table, rows: string, partition: Partition): string {
  const constants = Object.entries(partition)
    .filter(([name]) => !hasColumn(table, name))
    .map(([name, value]) => `${quoteText(value)} AS ${quoteName(name)}`);
  const derived = table.columns.flatMap(({ name, type, origin }) =>
    origin.kind === 'derived' ? [`(${origin.sql})::${sqlTypes[type]} AS ${quoteName(name)}`] : [],
  );
  const base = `SELECT ${['*', ...constants]} FROM (${rows})`;
  return derived.length === 0 ? base : `SELECT ${['*', ...derived]} FROM (${base})`;
}

/** Treats nulls as equal, because a key may contain them. */
function match(a: string, b: string, names: readonly string[]): string {
  return names
    .map((name) => `${a}.${quoteName(name)} IS NOT DISTINCT FROM ${b}.${quoteName(name)}`)
    .join(' AND ');
}

function differs(table: Table, a: string, b: string): string {
  const tests = comparedColumns(table).map(
    ({ name }) => `${a}.${quoteName(name)} IS DISTINCT FROM ${b}.${quoteName(name)}`,
  );
  return tests.length === 0 ? 'false' : `(${tests.join(' OR ')})`;
}

/** Whether the merged row has an observation time and the published row has none. */
function isDated(published: string, merged: string): string {
  return `(${published}.observed_at IS NULL AND ${merged}.observed_at IS NOT NULL)`;
}

function greatestFirst(table: Table): string {
  return tieColumns(table)
    .map(({ name }) => `${quoteName(name)} DESC NULLS LAST`)
    .join(', ');
}
