/** Why a copy failed, by the list of known messages, matched without SQL. */
import { loadViews } from '../../../src/questions/questions.ts';
import type { Answer, Copy } from './facts.ts';

interface Known {
  /** Null: for a category. */
  readonly message: RegExp | null;
  readonly category: string;
  readonly cause: string;
  readonly remedy: string;
  readonly source: string;
}

const sql = loadViews().find(({ name }) => name === 'known_failures')?.sql ?? '';
const text = String.raw`\s*'((?:[^']|'')*)'`;
const rowPattern = new RegExp(
  String.raw`\(\s*(\d+),(?:\s*NULL|${text}),${text},${text},${text},${text}\s*\)`,
  'g',
);

/** In the order of their numbers. */
const known: readonly Known[] = [...sql.matchAll(rowPattern)]
  .sort((a, b) => Number(a[1]) - Number(b[1]))
  .map(([, , pattern, category = '', cause = '', remedy = '', source = '']) => {
    const unquoted = (quoted: string) => quoted.replaceAll("''", "'");
    return {
      message: pattern === undefined ? null : like(unquoted(pattern)),
      category: unquoted(category),
      cause: unquoted(cause),
      remedy: unquoted(remedy),
      source: unquoted(source),
    };
  });

function like(pattern: string): RegExp {
  const literally = pattern.split('%').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${literally.join('.*')}$`, 's');
}

export function explanationOf(copy: Copy) {
  const message = String(copy.told('status_message') ?? '').toLowerCase();
  const given = copy.category === null || copy.category === '' ? null : copy.category;
  const found = known.find((row) =>
    row.message === null
      ? row.category.toLowerCase() === copy.category?.toLowerCase()
      : row.message.test(message),
  );
  if (found === undefined) throw new Error('no row fits, not even that for everything');
  const { category, cause, remedy, source } = found;
  return {
    failure_category: given ?? category,
    category_from: given !== null ? 'AWS' : category === 'unknown' ? 'nobody' : 'message',
    cause,
    remedy,
    source,
  };
}

export function knownFailures(): Answer[] {
  const patterns = [...sql.matchAll(rowPattern)].map(([, place, pattern]) => ({
    place: Number(place),
    message_pattern: pattern?.replaceAll("''", "'") ?? null,
  }));
  return patterns
    .sort((a, b) => a.place - b.place)
    .map((row, at) => {
      const { category = '', cause = '', remedy = '', source = '' } = known[at] ?? {};
      return { ...row, category, cause, remedy, source };
    });
}
