/** The type of an option: the facts that help, environment, configuration file and parsing derive from. */
import { eachItem, type ParseText } from './invalid-value.ts';

export type Job =
  | 'export'
  | 'plan'
  | 'catalog'
  | 'query'
  | 'status'
  | 'verify'
  | 'repair'
  | 'rebucket'
  | 'simulate';

/** Besides text, what the configuration file may contain for an option. */
export type OptionKind = 'text' | 'list' | 'integer' | 'switch';

export interface Option<T = unknown> {
  readonly kind: OptionKind;
  readonly jobs: readonly Job[];
  /** The value's placeholder in help: `FILE`, `10m`. Empty for a switch. */
  readonly sample: string;
  /** As a person would type it, and parsed by the same `parse`; null: no default. */
  readonly default: string | null;
  readonly description: string;
  /** Only for a lake on S3. With a local lake it is an error, because nobody would notice that it is ignored. */
  readonly onlyOnS3: boolean;
  /** Its value is never printed. */
  readonly secret: boolean;
  /** `texts` is never empty: the items of a list, or the single text of any other kind. */
  readonly parse: (texts: readonly string[], cwd: string) => T;
}

type Facts = Pick<Option, 'description'> &
  Partial<Pick<Option, 'sample' | 'default' | 'secret' | 'jobs' | 'kind' | 'onlyOnS3'>>;

export const allJobs: readonly Job[] = [
  'export',
  'plan',
  'simulate',
  'catalog',
  'query',
  'status',
  'verify',
  'repair',
  'rebucket',
];

/** Unless `facts` says otherwise, an option is text without a default and belongs to `export` and `plan`. */
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

/** An option with one value. */
export function text<T>(parse: ParseText<T>, facts: Facts): Option<T> {
  return option(facts, ([word = ''], cwd) => parse(word, cwd));
}

/** An option with a list of values. */
export function list<T>(parse: ParseText<T>, facts: Facts): Option<readonly T[]> {
  return option({ kind: 'list', ...facts }, (texts, cwd) => eachItem(texts, parse, cwd));
}
