import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IdSet } from '../../src/source/id-set.ts';

const uuid = fc.uuid().map((id) => id.toUpperCase());
const nearly = fc
  .tuple(uuid, fc.integer({ min: 0, max: 35 }), fc.constantFrom('0', 'F', 'f', '-', 'g', 'é', ''))
  .map(([id, at, other]) => id.slice(0, at) + other + id.slice(at + 1));
const nil = '00000000-0000-0000-0000-000000000000';
const id = fc.oneof(uuid, fc.uuid(), nearly, fc.string(), fc.constantFrom('', nil, `${nil}0`));

it('has what was added, and nothing else, whether ids are UUIDs or any texts', () => {
  fc.assert(
    fc.property(fc.array(id, { maxLength: 300 }), fc.array(id), fc.array(nearly), (added, others, near) => {
      const [set, expected] = [new IdSet(), new Set<string>()];
      for (const [at, one] of added.entries()) {
        set.add(at % 2 === 0 ? one : inBytes(one));
        expected.add(one);
      }
      for (const one of [...added, ...others, ...near, ...added.map((text) => text.toLowerCase())]) {
        expect([one, set.has(one), set.has(inBytes(one))]).toEqual([
          one,
          expected.has(one),
          expected.has(one),
        ]);
      }
    }),
  );
});

it('has what was added until then, whenever somebody asks', () => {
  const numbered = (number: number) => `${number.toString(16).toUpperCase().padStart(8, '0')}${nil.slice(8)}`;
  const steps = fc.array(fc.tuple(fc.constantFrom(1, 2, 63, 64, 65, 700, 2_000), fc.nat(3_000)), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(steps, (all) => {
      const [set, expected] = [new IdSet(), new Set<string>()];
      for (const [count, first] of all) {
        for (let number = first; number < first + count; number += 1) {
          set.add(numbered(number));
          expected.add(numbered(number));
        }
        for (let number = first - 3; number < first + count + 3; number += 1) {
          if (number < 0 || set.has(numbered(number)) === expected.has(numbered(number))) continue;
          expect.fail(`${numbered(number)} after ${JSON.stringify(all)}`);
        }
      }
      expect([...expected].every((one) => set.has(one))).toBe(true);
    }),
    { numRuns: 60, seed: 3 },
  );
});

it('has many that differ in one digit only', () => {
  const ids = Array.from({ length: 20_000 }, (_, at) => {
    const digits = at.toString(16).toUpperCase().padStart(8, '0');
    return at % 2 === 0 ? `${digits}${nil.slice(8)}` : `${nil.slice(0, 28)}${digits}`;
  });
  const set = new IdSet();
  for (const one of ids) set.add(one);
  expect(ids.every((one) => set.has(one))).toBe(true);
  expect(ids.some((one) => set.has(one.replace('-0000-', '-0001-')))).toBe(false);
});

it('tells apart texts that only look like UUIDs', () => {
  const like = [...'aABgé-'].map((letter) => nil.replaceAll('0', letter));
  for (const one of like) {
    const set = new IdSet();
    set.add(one);
    expect(like.filter((other) => set.has(other))).toEqual([one]);
  }
});

/** Among others, as in a response. */
function inBytes(text: string) {
  const length = Buffer.byteLength(text);
  return { bytes: Buffer.from(`"A"${text}"`), begin: 3, end: 3 + length };
}
