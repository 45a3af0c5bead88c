/** Fits rows to a terminal's width: as a table if possible, otherwise as one block per row. */
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { shortened } from './terminal-cells.ts';

export interface FittedColumn {
  readonly name: string;
  readonly align: 'left' | 'right';
  /** Whether values may be cut. Numbers and times may not. */
  readonly cuttable: boolean;
}

/** Between two columns. */
const gap = '  ';
/** Text is never cut below this width, so account ids and region names stay whole. */
const least = 16;
/** The most lines for one value in a block. */
const mostLines = 6;

export interface Fitted {
  readonly text: string;
  /** Whether values were shortened. */
  readonly cut: boolean;
}

/** @param rows one single-line text per column */
export function fitted(
  columns: readonly FittedColumn[],
  rows: readonly (readonly string[])[],
  width: number,
): Fitted {
  const widths = columnWidths(columns, rows, width);
  return widths === null ? blocks(columns, rows, width) : table(columns, rows, widths);
}

/** Null: the columns are too wide even when cut to the minimum. */
function columnWidths(
  columns: readonly FittedColumn[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly number[] | null {
  const room = width - gap.length * (columns.length - 1);
  const natural = columns.map(({ name }, at) =>
    Math.max(longestPiece(name), ...rows.map((row) => stringWidth(row[at] ?? ''))),
  );
  const minimal = columns.map(({ name, cuttable }, at) =>
    Math.max(longestPiece(name), cuttable ? Math.min(natural[at] ?? 0, least) : (natural[at] ?? 0)),
  );
  if (sum(minimal) > room) return null;
  const cut = shared(minimal, natural, room);
  // Remaining space goes to the names, so that fewer of them are broken over lines.
  const named = columns.map(({ name }, at) => Math.max(cut[at] ?? 0, stringWidth(name)));
  return shared(cut, named, room);
}

/** Widths between `from` and `to` that together fill at most `room`; the narrowest column grows first. */
function shared(from: readonly number[], to: readonly number[], room: number): readonly number[] {
  const widths = [...from];
  let left = room - sum(from);
  while (left > 0) {
    const open = widths.flatMap((width, at) => (width < (to[at] ?? 0) ? [at] : []));
    const narrowest = Math.min(...open.map((at) => widths[at] ?? 0));
    const next = open.find((at) => widths[at] === narrowest);
    if (next === undefined) break;
    widths[next] = narrowest + 1;
    left -= 1;
  }
  return widths;
}

function sum(widths: readonly number[]): number {
  return widths.reduce((total, width) => total + width, 0);
}

/** A name may be broken after each underscore. */
function piecesOf(name: string): readonly string[] {
  return name.match(/[^_]*_+|[^_]+/g) ?? [name];
}

function longestPiece(name: string): number {
  return Math.max(0, ...piecesOf(name).map((piece) => stringWidth(piece)));
}

function brokenName(name: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const piece of piecesOf(name)) {
    const last = lines.at(-1);
    if (last !== undefined && stringWidth(last + piece) <= width) lines[lines.length - 1] = last + piece;
    else lines.push(piece);
  }
  return lines;
}

function table(
  columns: readonly FittedColumn[],
  rows: readonly (readonly string[])[],
  widths: readonly number[],
): Fitted {
  const names = columns.map(({ name }, at) => brokenName(name, widths[at] ?? 0));
  const height = Math.max(1, ...names.map((lines) => lines.length));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => aligned(shortened(cell, widths[at] ?? 0), widths[at] ?? 0, columns[at]))
      .join(gap)
      .trimEnd();
  const head = Array.from({ length: height }, (_, at) =>
    // Names are aligned to the rule below them.
    line(names.map((lines) => lines[at - (height - lines.length)] ?? '')),
  );
  const rule = widths.map((width) => '─'.repeat(width)).join(gap);
  const cut = rows.some((row) => row.some((cell, at) => stringWidth(cell) > (widths[at] ?? 0)));
  return { text: `${[...head, rule, ...rows.map(line)].join('\n')}\n`, cut };
}

function aligned(text: string, width: number, column: FittedColumn | undefined): string {
  const space = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return column?.align === 'right' ? space + text : text + space;
}

function blocks(
  columns: readonly FittedColumn[],
  rows: readonly (readonly string[])[],
  width: number,
): Fitted {
  const longestName = Math.max(...columns.map(({ name }) => stringWidth(name)));
  const nameWidth = Math.min(longestName, Math.floor(width / 2));
  const indent = ' '.repeat(nameWidth + gap.length);
  let cut = false;
  const lines = rows.flatMap((row, number) => [
    `── row ${number + 1} ${'─'.repeat(Math.max(2, width - 8 - String(number + 1).length))}`.slice(0, width),
    ...columns.flatMap(({ name }, at) => {
      const label = aligned(shortened(name, nameWidth), nameWidth, undefined);
      const value = valueLines(row[at] ?? '', width - indent.length);
      const [first = '', ...more] = value.lines;
      cut ||= value.cut;
      return [`${label}${gap}${first}`.trimEnd(), ...more.map((one) => indent + one)];
    }),
  ]);
  return { text: `${lines.join('\n')}\n`, cut };
}

/** Text with spaces wraps; an id or an ARN stays on one line, with its middle cut. */
function valueLines(
  text: string,
  width: number,
): { readonly lines: readonly string[]; readonly cut: boolean } {
  if (stringWidth(text) <= width) return { lines: [text], cut: false };
  if (!text.includes(' ')) return { lines: [shortened(text, width)], cut: true };
  const words = text.split(' ');
  const cut = words.some((word) => stringWidth(word) > width);
  const lines = wrapAnsi(words.map((word) => shortened(word, width)).join(' '), width, { hard: true }).split(
    '\n',
  );
  if (lines.length <= mostLines) return { lines, cut };
  const last = shortened(lines.slice(mostLines - 1).join(' '), width);
  return { lines: [...lines.slice(0, mostLines - 1), last], cut: true };
}
