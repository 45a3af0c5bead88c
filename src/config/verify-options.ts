/** The options that only `verify` has. One of them shares its name with an option of `export`. */
import { dayMs } from '../shared/time.ts';
import { InvalidValue } from './invalid-value.ts';
import { file } from './location-parsers.ts';
import { type Option, text } from './option.ts';
import { duration } from './quantity-parsers.ts';
import { onOff, since } from './value-parsers.ts';

const jobs = ['verify'] as const;

/** A Node timer's longest. */
const longest = 24 * dayMs;

export const verifyOptions = {
  since: text(since, {
    jobs,
    sample: 'all|DATE|7d',
    default: 'all',
    description:
      'Read objects of this UTC day and later: all, a date, or a span before now (7d: 7 × 24 h). The records of all runs are always read',
  }),
  subset: text(subset, {
    jobs,
    sample: 'N/OF',
    description:
      'Read one of so many equal slices of the objects, such as 3/30: all slices together are the whole lake',
  }),
  quick: text(onOff, {
    kind: 'switch',
    jobs,
    default: 'false',
    description:
      'Read no part: on S3, compare size, ETag and stored SHA-256 (HEAD requests); in a local lake, size and footer',
  }),
  'max-duration': text(duration(longest), {
    jobs,
    sample: '1h',
    description: 'Read parts for this long; the next look with the same --resume-file goes on from there',
  }),
  'resume-file': text(file, {
    jobs,
    sample: 'FILE',
    description:
      'Local file, outside the lake, that keeps the place and the findings of a look that ran out of time',
  }),
} as const satisfies Record<string, Option>;

/** Null: the slice of the current day. */
function subset(word: string): { readonly number: number | null; readonly of: number } {
  const [, which = '', slices] = /^(\d{1,4}|today)\/(\d{1,4})$/.exec(word) ?? [];
  const [number, of] = [which === 'today' ? null : Number(which), Number(slices ?? Number.NaN)];
  if (!(of >= 1) || (number !== null && (number < 1 || number > of))) {
    throw new InvalidValue(
      'is not a slice',
      'Write its number and how many there are, such as 3/30, or today/30.',
    );
  }
  return { number, of };
}
