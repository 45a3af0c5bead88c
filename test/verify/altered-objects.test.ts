import { hash } from 'node:crypto';
import { expect, it } from 'vitest';
import { bytesText } from '../../src/verify/altered-objects.ts';

it('names the SHA-256 of an object, but none of one that was altered', () => {
  expect(bytesText(hash('sha256', 'x'))).toBe(`its SHA-256 is ${hash('sha256', 'x')}`);
  expect(bytesText(hash('sha256', ''))).not.toContain(hash('sha256', ''));
});
