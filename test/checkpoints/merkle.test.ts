import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { merkleRoot } from '../../src/checkpoints/merkle.ts';

const sha256 = (...parts: (Buffer | string)[]) => {
  const made = createHash('sha256');
  for (const part of parts) made.update(part);
  return made.digest();
};

/** RFC 9162, section 2.1.1, word for word: k is the largest power of two smaller than n. */
function byTheRfc(leaves: readonly string[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return sha256('');
  if (leaves.length === 1) return sha256(Buffer.from([0]), only);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha256(Buffer.from([1]), byTheRfc(leaves.slice(0, k)), byTheRfc(leaves.slice(k)));
}

it('gives the root that the RFC defines, for any number of leaves', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 70 }), (leaves) => {
      expect(merkleRoot(leaves)).toBe(byTheRfc(leaves).toString('hex'));
    }),
  );
});

it('is not fooled by an inner node in place of a leaf', () => {
  const [a, b] = ['a', 'b'].map((leaf) => sha256(Buffer.from([0]), leaf));
  const node = Buffer.concat([Buffer.from([1]), a ?? Buffer.alloc(0), b ?? Buffer.alloc(0)]).toString(
    'latin1',
  );
  expect(merkleRoot([node])).not.toBe(merkleRoot(['a', 'b']));
});
