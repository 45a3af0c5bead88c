import { InvalidValue } from './invalid-value.ts';
import type { Shard } from './typed-values.ts';

/** `i/n`, for example `0/8` to `7/8`. */
export function shardOf(word: string): Shard {
  const [, index, count] = /^(\d{1,4})\/(\d{1,4})$/.exec(word) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (index === undefined || shard.count < 1 || shard.index >= shard.count) {
    throw new InvalidValue(
      'is not a shard',
      'Write its number and how many there are, such as 0/8: numbers begin with 0, so the last of eight is 7/8.',
    );
  }
  return shard;
}
