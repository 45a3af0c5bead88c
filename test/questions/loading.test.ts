import { describe, expect, it } from 'vitest';
import { type Parameter, readQueryFile } from '../../src/questions/query-file.ts';
import { questionSql } from '../../src/questions/question-sql.ts';
import { loadQuestions, loadViews } from '../../src/questions/questions.ts';
import { identifiersOf } from '../../src/questions/sql-tokens.ts';
import { UsageError } from '../../src/shared/errors.ts';

const parameter = (name: string, type: Parameter['type'], value = '7'): Parameter => ({
  name,
  type,
  default: value,
  about: 'A test.',
});
const question = (sql: string, ...parameters: readonly Parameter[]) => ({ name: 'it', sql, parameters });

describe('the files of views and questions', () => {
  it('come with a title, a paragraph and explained parameters', () => {
    expect([loadViews().length > 8, loadQuestions().length > 15]).toEqual([true, true]);
    for (const { name, title, about } of [...loadViews(), ...loadQuestions()]) {
      expect(title.length, name).toBeGreaterThan(10);
      expect(about.length, name).toBeGreaterThan(120);
      expect(about, name).not.toContain('  ');
    }
    for (const { name, parameters } of loadQuestions()) {
      expect(parameters.length, name).toBeGreaterThan(0);
      for (const { about } of parameters) expect(about.length, name).toBeGreaterThan(10);
    }
  });

  it('are named in snake_case for views and kebab-case for questions', () => {
    expect(loadViews().filter(({ name }) => !/^[a-z]+(_[a-z]+)*$/.test(name))).toEqual([]);
    expect(loadQuestions().filter(({ name }) => !/^[a-z]+(-[a-z]+)*$/.test(name))).toEqual([]);
  });

  it('give views in an order in which each comes after those that it reads', () => {
    const names = loadViews().map(({ name }) => name);
    for (const [index, { sql }] of loadViews().entries()) {
      const read = [...identifiersOf(sql)].filter((word) => names.includes(word));
      expect(read.filter((name) => names.indexOf(name) >= index)).toEqual([]);
    }
    expect(names.indexOf('last_good_copies')).toBeGreaterThan(names.indexOf('good_copies'));
  });

  it('never ask the clock', () => {
    for (const { sql, name } of [...loadViews(), ...loadQuestions()]) {
      const clock = ['now', 'current_timestamp', 'current_date', 'localtimestamp', 'today'];
      const words = [...identifiersOf(sql.toLowerCase())];
      expect(
        words.filter((word) => clock.includes(word)),
        name,
      ).toEqual([]);
    }
  });

  it('say what every question sorts by, and where nulls go', () => {
    for (const { sql, name } of loadQuestions()) {
      const order = sql.slice(sql.lastIndexOf('ORDER BY')).replace('ORDER BY', '');
      for (const key of order.split(',')) expect(key, name).toMatch(/ (ASC|DESC) NULLS (FIRST|LAST)\s*$/);
    }
  });
});

describe('a file that is not as it should be is refused', () => {
  const good =
    '-- title: T\n-- about: A\n--   and more\n-- parameter: days integer default 7 — D\n-- column: n - a b — E\n-- reads: :days + 1\nSELECT :days\n';
  it('reads what is right', () => {
    expect(readQueryFile('f', good)).toEqual({
      title: 'T',
      about: 'A and more',
      columns: [{ name: 'n', unit: '', example: 'a b', about: 'E' }],
      parameters: [{ name: 'days', type: 'integer', default: '7', about: 'D' }],
      reads: { parameter: 'days', more: 1 },
      sql: 'SELECT :days',
    });
  });
  it.each([
    ['no title', good.replace('-- title: T\n', '')],
    ['two titles', good.replace('-- title: T\n', '-- title: T\n-- title: U\n')],
    ['no paragraph', good.replace('-- about: A\n--   and more\n', '')],
    ['an unknown line', good.replace('--   and more', '-- and more')],
    ['an unknown type', good.replace('integer', 'number')],
    ['a column without an example', good.replace('n - a b', 'n -')],
    ['days that cannot be read', good.replace(':days + 1', '7')],
    ['no SQL', good.replace('SELECT :days', '')],
    ['two statements', good.replace('SELECT :days', 'SELECT :days; SELECT 1')],
  ])('%s', (_, text) => {
    expect(() => readQueryFile('f', text)).toThrow(/The query file f .* Correct the file\./);
  });
});

describe('a question with its parameters', () => {
  it('takes defaults for what is not said', () => {
    expect(questionSql(question('a > :days', parameter('days', 'integer')))).toBe('a > 7');
    expect(questionSql(question('a > :days', parameter('days', 'integer')), { days: '030' })).toBe('a > 30');
  });

  it('puts text in as one literal, whatever it holds', () => {
    const text = "it's 🕐 -- '); DROP :days";
    expect(questionSql(question('a = :who', parameter('who', 'text')), { who: text })).toBe(
      "a = 'it''s 🕐 -- ''); DROP :days'",
    );
  });

  it('leaves alone texts, names in quotes, comments and casts', () => {
    const sql = `':days' || 'it''s :days' || ":days" -- :days\n /* :days */ a::days`;
    expect(questionSql(question(sql, parameter('days', 'integer')))).toBe(sql);
  });

  it.each(['', '-1', '1.5', '1e3', '0x10', '7 OR 1=1', '100000', '٣', ' 7', '7\n'])(
    'refuses %j where an integer goes',
    (days) => {
      expect(() => questionSql(question(':days', parameter('days', 'integer')), { days })).toThrow(
        UsageError,
      );
    },
  );

  it('refuses control characters in text', () => {
    expect(() => questionSql(question(':who', parameter('who', 'text')), { who: 'a\u0000b' })).toThrow(
      UsageError,
    );
  });

  it('refuses a parameter that it does not have, names of objects’ own properties among them', () => {
    for (const name of ['hours', 'constructor', '__proto__']) {
      const values = Object.fromEntries([[name, '1']]);
      expect(() => questionSql(question(':days', parameter('days', 'integer')), values)).toThrow(
        /has no parameter .* Its parameters are --days\./,
      );
    }
  });
});
