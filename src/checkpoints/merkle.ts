/**
 * The Merkle Tree Hash of Certificate Transparency (RFC 9162, section 2.1.1, with SHA-256). Leaves and inner nodes are
 * hashed with different first bytes, so that nobody can pass off an inner node as a leaf.
 */
import { hash } from 'node:crypto';

const leafPrefix = Buffer.from([0]);
const nodePrefix = Buffer.from([1]);

/** The root over texts in this order, in hex. */
export function merkleRoot(leaves: readonly string[]): string {
  let level = leaves.map((leaf) => sha256(Buffer.concat([leafPrefix, Buffer.from(leaf)])));
  if (level.length === 0) return hash('sha256', '');
  // A last node without a partner moves up unchanged: this gives the RFC's tree, whose left half is a power of two.
  while (level.length > 1) {
    const above: Buffer[] = [];
    for (let at = 0; at < level.length; at += 2) {
      const [left, right] = level.slice(at, at + 2);
      if (left !== undefined) {
        above.push(right === undefined ? left : sha256(Buffer.concat([nodePrefix, left, right])));
      }
    }
    level = above;
  }
  return level[0]?.toString('hex') ?? '';
}

function sha256(bytes: Buffer): Buffer {
  return hash('sha256', bytes, 'buffer');
}
