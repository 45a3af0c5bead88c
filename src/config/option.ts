/** What an option is: the facts that help, environment, file and parsing need to know of it. */
import { eachItem, type ParseWord } from './invalid-value.ts';

export type Job = 'export' | 'plan' | 'catalog' | 'query' | 'simulate';

/** What the configuration file may hold for an option besides text. */
export type OptionKind = 'text' | 'list' | 'integer' | 'switch';

export interface Option<T = unknown> {
  readonly kind: OptionKind;
  readonly jobs: readonly Job[];
  /** What stands for the value in help: `FILE`, `10m`. Empty for a switch. */
  readonly sample: string;
  /** As a person would write it, and read by the same `parse`; null: none. */
  readonly default: string | null;
  readonly description: string;
  /** Means something for a lake on S3 only: with a local one it is refused, since nobody would notice that it is ignored. */
  readonly onlyOnS3: boolean;
  /** Its value is never printed. */
  readonly secret: boolean;
  /** `words` are never empty: the items of a list, or the one word of every other kind. */
  readonly parse: (words: readonly string[], cwd: string) => T;
}

type Facts = Pick<Option, 'description'> &
  Partial<Pick<Option, 'sample' | 'default' | 'secret' | 'jobs' | 'kind' | 'onlyOnS3'>>;

export const allJobs: readonly Job[] = ['export', 'plan', 'simulate', 'catalog', 'query'];

/** An option that is text, has no default and belongs to `export` and `plan`, but for what `facts` say. */
export function option<T>(facts: Facts, parse: Option<T>['parse']): Option<T> {
  return {
    kind: 'text',
    jobs: ['export', 'plan'],
    sample: '',
    default: null,
    secret: false,
    onlyOnS3: false,
    ...facts,
    parse,
  };
}

/** An option of one word. */
export function text<T>(parse: ParseWord<T>, facts: Facts): Option<T> {
  return option(facts, ([word = ''], cwd) => parse(word, cwd));
}

/** An option of several words. */
export function list<T>(parse: ParseWord<T>, facts: Facts): Option<readonly T[]> {
  return option({ kind: 'list', ...facts }, (words, cwd) => eachItem(words, parse, cwd));
}
