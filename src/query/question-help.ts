/** The full text of a question: how to read its result, its parameters and columns, and an example. */
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { viewColumns } from '../catalog/view-columns.ts';
import { questionSql } from '../questions/question-sql.ts';
import { loadViews, type Question, type View } from '../questions/questions.ts';
import { identifiersOf } from '../questions/sql-tokens.ts';
import { lakeTables } from '../tables/lake-tables.ts';
import { parameterWords, questionHead } from './named-questions.ts';

/** @param columns the terminal's */
export async function questionHelp(question: Question, columns: number): Promise<string> {
  const columnsShown = await columnMeanings(question);
  const example = question.parameters.map((one) => ` --${one.name} ${one.default || 'TEXT'}`).join('');
  return [
    questionHead(question, columns),
    ...(question.parameters.length === 0
      ? []
      : [`Parameters:\n${listed(question.parameters.map(parameterWords), columns)}`]),
    `Columns:\n${listed(columnsShown, columns)}`,
    `For example:\n  backup-copy-export query ${question.name}${example} --lake ./lake\n`,
  ].join('\n');
}

/** Column descriptions, from the view or table that has a column of this name: questions name the same thing the same. */
async function columnMeanings(question: Question): Promise<readonly (readonly [string, string])[]> {
  const views = loadViews();
  const own = question.name.replaceAll('-', '_');
  const asView: View = { ...question, name: own, columns: [], sql: questionSql(question) };
  const found = await viewColumns(lakeTables, [...views, asView]);
  const read = identifiersOf(question.sql);
  const described = [
    ...views.map(({ name, columns }) => ({
      relation: name,
      columns: columns.map((column) => [column.name, column.about] as const),
    })),
    ...lakeTables.toReversed().map(({ name, columns, partitions }) => ({
      relation: name,
      columns: [...columns, ...partitions].map((column) => [column.name, column.description] as const),
    })),
  ];
  // What the question reads itself comes last, and so wins: account_id is not the same in copies and in coverage.
  const said = new Map(
    described
      .toSorted((a, b) => Number(read.has(a.relation)) - Number(read.has(b.relation)))
      .flatMap(({ columns }) => columns),
  );
  return (found.get(own) ?? []).map(({ name, source }) => [
    name,
    source?.column.description ?? said.get(name) ?? '',
  ]);
}

/** Names in one column, their descriptions wrapped in a second one. */
function listed(entries: readonly (readonly [string, string])[], columns: number): string {
  const widest = Math.max(0, ...entries.map(([name]) => stringWidth(name)));
  const nameWidth = Math.min(widest, Math.floor(columns / 3));
  const indent = ' '.repeat(nameWidth + 4);
  return entries
    .map(([name, words]) => {
      const lines = wrapAnsi(words, Math.max(10, columns - indent.length)).split('\n');
      const beside = stringWidth(name) <= nameWidth;
      const first = `  ${name.padEnd(nameWidth)}  ${beside ? (lines[0] ?? '') : ''}`.trimEnd();
      const more = beside ? lines.slice(1) : lines;
      return `${[first, ...more.filter((line) => line !== '').map((line) => indent + line)].join('\n')}\n`;
    })
    .join('');
}
