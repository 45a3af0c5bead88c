import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineWriter, viewOf } from '../../src/lake/line-writer.ts';

function written(write: (writer: LineWriter) => void): string {
  const writer = new LineWriter(16);
  write(writer);
  const bytes = Buffer.alloc(writer.length);
  writer.copy(bytes, 0, 0, writer.length);
  return bytes.toString('utf8');
}

it('writes integers and texts as CSV has them, whatever room there is', () => {
  const values = fc.array(
    fc.oneof(
      fc.maxSafeInteger(),
      fc.constantFrom(0, 9, 10, -10, 2 ** 53 - 1, 1 - 2 ** 53),
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\u0000', '\u007f', 'é', '\u2028', '🔒', 'a') }),
    ),
  );
  fc.assert(
    fc.property(values, (all) => {
      const text = written((writer) => {
        for (const value of all) {
          if (typeof value === 'number') writer.integer(value);
          else expect(writer.text(value)).toBe(true);
        }
      });
      expect(text).toBe(
        all.map((value) => (typeof value === 'number' ? value : `"${value.split('"').join('""')}"`)).join(''),
      );
    }),
    { numRuns: 500 },
  );
});

it('writes nothing of a text that is not well-formed, or very long', () => {
  for (const text of ['a\ud83d', 'é\udc00', 'x'.repeat(2 ** 20 + 1)]) {
    expect(
      written((writer) => {
        writer.raw(viewOf(Buffer.from('before')));
        expect(writer.text(text)).toBe(false);
      }),
    ).toBe('before');
  }
});

it('copies any UTF-8 as it is, wherever it begins and however long it is', () => {
  const unit = fc.constantFrom('a', '"', '\u0000', '\u007f', 'é', '\u2028', '\ud7ff', '🔒', '\u{10ffff}');
  const texts = fc.tuple(...[0, 1, 2].map(() => fc.string({ unit, maxLength: 40 })));
  fc.assert(
    fc.property(texts, ([before = '', text = '', after = '']) => {
      const bytes = Buffer.from(before + text + after);
      const from = Buffer.byteLength(before);
      const copied = written((writer) => {
        writer.raw(viewOf(Buffer.from(before)));
        writer.span(viewOf(bytes), from, from + Buffer.byteLength(text));
        writer.raw(viewOf(Buffer.from(after)));
      });
      expect(copied).toBe(before + text + after);
    }),
    { numRuns: 1_000 },
  );
});
