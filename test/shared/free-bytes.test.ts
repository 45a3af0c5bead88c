import { expect, it } from 'vitest';
import { freeBytes } from '../../src/shared/free-bytes.ts';

it('freed bytes are nobody’s: whoever still holds them finds none', () => {
  const bytes = Buffer.alloc(100_000, 'x');
  const part = bytes.subarray(10, 20);
  const values = Int32Array.of(1, 2, 3);
  freeBytes(bytes);
  freeBytes(bytes);
  freeBytes(values);
  expect([bytes.length, part.length, part.toString(), values.length]).toEqual([0, 0, '', 0]);
  expect(() => bytes.set([1])).toThrow(Error);
});

it('bytes that share their memory with others stay', () => {
  const whole = Buffer.alloc(100_000, 'x');
  const [short, neighbour] = [Buffer.from('short'), Buffer.from('neighbour')];
  const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(7);
  for (const bytes of [whole.subarray(1), whole.subarray(0, 9), short, shared]) freeBytes(bytes);
  expect([whole.length, short.toString(), neighbour.toString()]).toEqual([100_000, 'short', 'neighbour']);
  expect([...shared]).toEqual([7, 7, 7]);
});
