import { describe, expect, it } from 'vitest';
import { parseExactJson, UnsafeInteger } from '../../src/shared/exact-json.ts';

describe('integers', () => {
  it.each([
    ['9007199254740991', 9007199254740991],
    ['-9007199254740991', -9007199254740991],
    ['9007199254740992', new UnsafeInteger('9007199254740992')],
    ['-9007199254740993', new UnsafeInteger('-9007199254740993')],
    ['123456789012345678901234567890', new UnsafeInteger('123456789012345678901234567890')],
    ['1763690400.123', 1763690400.123],
  ])('%s is exact in any place', (literal, value) => {
    expect(parseExactJson(literal.length < 16 ? literal : `[${literal}]`)).toEqual(
      literal.length < 16 ? value : [value],
    );
    expect(parseExactJson(`{"a" : ${literal}}`)).toEqual({ a: value });
    expect(parseExactJson(`[1,\n ${literal},"x"]`)).toEqual([1, value, 'x']);
  });

  it('written as text stay text', () => {
    expect(parseExactJson('{"arn":"a:1234567890123456789","n":[9007199254740993]}')).toEqual({
      arn: 'a:1234567890123456789',
      n: [new UnsafeInteger('9007199254740993')],
    });
  });

  it.each([
    ['1e400', Number.POSITIVE_INFINITY],
    ['9007199254740993.5', 9007199254740994],
    ['1e16', 1e16],
  ])('are not what %s is', (literal, value) => {
    expect(parseExactJson(`[${literal}, 9007199254740993]`)).toEqual([
      value,
      new UnsafeInteger('9007199254740993'),
    ]);
  });

  it('are exact at any depth', () => {
    const nested = (literal: string) => `${'[{"a":'.repeat(300)}${literal}${'}]'.repeat(300)}`;
    const inmost = (value: unknown): unknown => {
      let at = value;
      while (Array.isArray(at)) at = at[0].a;
      return at;
    };
    expect(inmost(parseExactJson(nested('1')))).toBe(1);
    expect(inmost(parseExactJson(nested('9007199254740993')))).toEqual(new UnsafeInteger('9007199254740993'));
  });

  it('that are unsafe are written again as their digits', () => {
    expect(JSON.stringify(parseExactJson('[9007199254740993]'))).toBe('[9007199254740993]');
  });
});

it('what is not JSON is an error', () => {
  expect(() => parseExactJson('{"CopyJobs":[')).toThrow(SyntaxError);
});
