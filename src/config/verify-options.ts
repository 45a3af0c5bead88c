/** The options that only `verify` has. One of them shares its name with an option of `export`. */
import { longestTimerMs } from '../shared/time.ts';
import { InvalidValue } from './invalid-value.ts';
import { file } from './location-parsers.ts';
import { type Option, text } from './option.ts';
import { duration } from './quantity-parsers.ts';
import { onOff, since } from './value-parsers.ts';

const jobs = ['verify'] as const;

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
    sample: 'N/OF|today/OF',
    description:
      'Read only slice N of OF equal slices, such as 3/30; today/30 takes the next slice each UTC day. All slices together cover the whole lake',
  }),
  quick: text(onOff, {
    kind: 'switch',
    jobs,
    default: 'false',
    description:
      'Read a part only if something differs: on S3, compare size, ETag and stored SHA-256 (HEAD requests); in a local lake, size and footer',
  }),
  'max-duration': text(duration(longestTimerMs), {
    jobs,
    sample: '1h',
    description:
      'Stop reading parts after this time; needs --resume-file, from which the next verify continues',
  }),
  'resume-file': text(file, {
    jobs,
    sample: 'FILE',
    description:
      'Local file, outside the lake, in which verify records how far it got and what it found when --max-duration ends it',
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
