import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  numberIn,
  startsWithWords,
  textEnd,
  textEndByWords,
  textIn,
  valueEnd,
  wordsOf,
} from '../../src/shared/json-bytes.ts';

it('takes every byte below a space for what JSON.parse takes it, in a text and after an escape', () => {
  for (let code = 0; code < 0x80; code += 1) {
    const character = String.fromCharCode(code);
    for (const text of [`"a${character}"`, `"\\n${character}"`, `"\\${character}"`, `"\\u004${character}"`]) {
      let parsed: unknown = null;
      try {
        parsed = JSON.parse(text);
      } catch {}
      const bytes = Buffer.from(text);
      const end = textEnd(bytes, 0);
      const isWhole = Math.abs(end) === bytes.length;
      expect([text, isWhole]).toEqual([text, parsed !== null]);
      if (isWhole) expect(textIn(bytes, 0, end)).toBe(parsed);
    }
  }
});

it('finds the end of a text four bytes at a time where it finds it byte by byte', () => {
  const special = fc.constantFrom(
    0x22,
    0x5c,
    0x00,
    0x1f,
    0x20,
    0x21,
    0x23,
    0x5b,
    0x5d,
    0x7f,
    0x80,
    0xa2,
    0xdc,
    0xff,
  );
  const other = fc.integer({ min: 0, max: 255 });
  const plain = fc.constant(0x61);
  const bytes = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: plain },
      { weight: 1, arbitrary: special },
      { weight: 1, arbitrary: other },
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(fc.nat(9), bytes, (before, text) => {
      const all = Buffer.concat([Buffer.alloc(before, 0x61), Buffer.from([0x22, ...text])]);
      const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
      expect(textEndByWords(all, view, before)).toBe(textEnd(all, before));
    }),
    { numRuns: 20_000, seed: 11 },
  );
});

it('finds a name by all of its bytes', () => {
  const isAt = (text: string, at: number, name: string) => {
    const bytes = Buffer.from(text);
    return startsWithWords(
      new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      at,
      wordsOf(Buffer.from(name)),
    );
  };
  const name = '"DestinationRecoveryPointArn":';
  expect(isAt(`{${name}"arn"}`, 1, name)).toBe(true);
  expect(isAt(`{${name}`, 1, name)).toBe(true);
  for (let byte = 0; byte < name.length; byte += 1) {
    const other = `${name.slice(0, byte)}_${name.slice(byte + 1)}`;
    expect([other, isAt(`{${other}"arn"}`, 1, name)]).toEqual([other, false]);
    expect(isAt(`{${name}`.slice(0, byte + 1), 1, name)).toBe(false);
  }
  // A short one has no eight bytes to compare: it is left to whoever reads the name.
  expect(isAt('"Arn":', 0, '"Arn":')).toBe(false);
  expect(isAt('{"Arn":"arn:aws:backup"}', 1, '"Arn":')).toBe(false);
});

it('reads a number of any length as JSON.parse does', () => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 24 });
  const exponent = fc
    .tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), fc.nat(40))
    .map((all) => all.join(''));
  const numbers = fc
    .tuple(fc.constantFrom('', '-'), digits, fc.option(digits), fc.option(exponent))
    .map(([sign, whole, fraction, power]) => {
      const integer = whole.replace(/^0+(?=\d)/, '');
      return `${sign}${integer}${fraction === null ? '' : `.${fraction}`}${power ?? ''}`;
    });
  fc.assert(
    fc.property(numbers, (text) => {
      const bytes = Buffer.from(text);
      expect(valueEnd(bytes, 0)).toBe(bytes.length);
      expect(numberIn(bytes, 0, bytes.length)).toBe(JSON.parse(text));
    }),
    { numRuns: 2_000, seed: 9 },
  );
});
