/** docs/reference/tables.md: every table, view and question, written from their definitions. */
import type { Question, View } from '../questions/questions.ts';
import type { Column, MergeRule, Table } from '../tables/table.ts';
import { hiveTypes } from './statements.ts';
import type { ViewColumn } from './view-columns.ts';

export interface Page {
  readonly tables: readonly Table[];
  readonly views: readonly View[];
  /** By the view's name. */
  readonly viewColumns: ReadonlyMap<string, readonly ViewColumn[]>;
  readonly questions: readonly Question[];
}

/** The page, in Markdown. */
export function tablesPage({ tables, views, viewColumns, questions }: Page): string {
  return `${[
    '# Tables, views and questions',
    'Written by `npm run reference` from `src/tables/` and `queries/`; do not edit.',
    'Types are Athena’s. In Trino, `string` is `varchar` and `timestamp` is `timestamp(3)`. Every column can be null; a column that an older file lacks is null there. All times are UTC, in milliseconds. Partition columns are texts; days are written as `yyyy-MM-dd`.',
    '## Tables',
    ...tables.flatMap(tableBlocks),
    '## Views',
    '`catalog apply` and `catalog ddl` create the views for Athena and Trino; `query` has them built in. Read them like tables. If a view has a partition column, always limit the days.',
    ...views.flatMap((view) => viewBlocks(view, viewColumns.get(view.name) ?? [])),
    '## Questions',
    'Ask a question with `./backup-copy-export query NAME --lake …`. Questions measure ages from the time of the lake’s last run, never from the clock.',
    ...questions.flatMap(questionBlocks),
  ].join('\n\n')}\n`;
}

function tableBlocks(table: Table): string[] {
  return [
    `### ${table.name}`,
    table.description,
    `Schema version ${table.schemaVersion}. ${mergeInWords(table.merge)}`,
    `Rows are sorted within a file by ${names(table.sortBy)}.`,
    markdownTable(
      ['column', 'type', 'unit', 'meaning', 'source', 'example'],
      table.columns.map((column) => [
        code(column.name),
        hiveTypes[column.type],
        column.unit ?? '',
        column.description,
        sourceOf(table, column),
        code(column.example),
      ]),
    ),
    `Partitioned by ${names(table.partitions.map(({ name }) => name))}; these columns are in the path, not in the file:`,
    markdownTable(
      ['partition column', 'type', 'meaning', 'example'],
      table.partitions.map(({ name, description, example }) => [
        code(name),
        hiveTypes.text,
        description,
        code(example),
      ]),
    ),
  ];
}

function mergeInWords(merge: MergeRule): string {
  switch (merge.kind) {
    case 'upsert':
      return `One row for each ${names(merge.key)}: a later observation replaces an earlier one, never the other way round. A terminal state stays. In a terminal row, a null never replaces a value.`;
    case 'replace-slice':
      return `One row for each partition and ${names(merge.key)}. A complete drain replaces all rows of the same partition and ${names(merge.slice)}. What AWS no longer returns stays.`;
    case 'append':
      return 'Every run adds a file of its own. Nothing is ever replaced.';
  }
}

function sourceOf(table: Table, { origin }: Column): string {
  switch (origin.kind) {
    case 'api':
      return code(origin.field);
    case 'target':
      return 'the account and region asked';
    case 'derived':
      return `computed from ${names(columnsIn(table, origin.sql))}`;
    case 'computed':
      return `computed from ${names(origin.of)}`;
    case 'provenance':
      return 'the observation';
    case 'run':
      return 'the run';
  }
}

/** The columns of the table that an expression names, in the table's order. */
function columnsIn(table: Table, sql: string): readonly string[] {
  const words = new Set(sql.match(/[a-z_][a-z0-9_]*/g));
  return table.columns.map(({ name }) => name).filter((name) => words.has(name));
}

function viewBlocks(view: View, columns: readonly ViewColumn[]): string[] {
  return [
    `### ${view.name}`,
    `${view.title}. ${view.about}`,
    markdownTable(
      ['column', 'type', 'unit', 'meaning', 'source', 'example'],
      columns.map((column) => {
        const { unit, meaning, source, example } = columnNotes(view, column);
        return [code(column.name), athenaType(column.type), unit, meaning, source, code(example)];
      }),
    ),
  ];
}

/** As the view's file says, or as the table does that the column comes from. */
function columnNotes(view: View, { name, type, source, expression }: ViewColumn) {
  const said = view.columns.find((one) => one.name === name);
  const from = source === null ? '' : code(`${source.table}.${source.column.name}`);
  const computed = expression === null ? from : code(expression);
  const unit = type.startsWith('TIMESTAMP') ? 'UTC, milliseconds' : '';
  if (said !== undefined) {
    return { unit: said.unit || unit, meaning: said.about, source: computed, example: said.example };
  }
  if (source === null) return { unit, meaning: '', source: computed, example: '' };
  const { column } = source;
  const ownUnit = 'unit' in column ? (column.unit ?? '') : '';
  return {
    unit: ownUnit,
    meaning: column.description,
    source: expression === null ? from : `${computed} of ${from}`,
    example: column.example,
  };
}

/** DuckDB's name of a type as Athena says it. */
function athenaType(type: string): string {
  if (type === 'VARCHAR') return 'string';
  return type.startsWith('TIMESTAMP') ? 'timestamp' : type.toLowerCase();
}

function questionBlocks({ name, title, about, parameters, reads }: Question): string[] {
  return [
    `### ${name}`,
    `${title}. ${about}`,
    reads === 'every day'
      ? 'It reads every day of the lake.'
      : `It reads the days of ${code(`--${reads.parameter}`)}.`,
    ...(parameters.length === 0
      ? []
      : [
          markdownTable(
            ['parameter', 'type', 'default', 'meaning'],
            parameters.map((one) => [code(`--${one.name}`), one.type, code(one.default), one.about]),
          ),
        ]),
  ];
}

function names(list: readonly string[]): string {
  return list.map(code).join(', ');
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
