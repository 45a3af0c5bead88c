/** The options that only `simulate` has. Two of them share a name with options of `export`. */
import { knownRegions } from '../aws/known-regions.ts';
import { file } from './location-parsers.ts';
import { type Option, text } from './option.ts';
import { decimal, instant, integer } from './quantity-parsers.ts';
import { oneOf, onOff } from './value-parsers.ts';

const jobs = ['simulate'] as const;

export const simulateOptions = {
  port: text(integer(0, 65_535), {
    jobs,
    kind: 'integer',
    sample: 'N',
    default: '0',
    description: 'Port on 127.0.0.1 (0: any)',
  }),
  accounts: text(integer(1, 100_000), {
    jobs,
    kind: 'integer',
    sample: 'N',
    default: '20',
    description: 'Active accounts of the organization',
  }),
  regions: text(integer(1, knownRegions.length), {
    jobs,
    kind: 'integer',
    sample: 'N',
    default: '4',
    description: 'Enabled regions',
  }),
  'jobs-per-day': text(decimal(0, 10_000_000), {
    jobs,
    kind: 'integer',
    sample: 'N',
    default: '50',
    description: 'Mean number of copy jobs a day, per account and region',
  }),
  days: text(integer(0, 365), {
    jobs,
    kind: 'integer',
    sample: 'N',
    default: '30',
    description: 'Days of history at the start',
  }),
  seed: text(integer(0, 2 ** 31 - 1), {
    jobs,
    kind: 'integer',
    sample: 'N',
    default: '7',
    description: 'The same seed gives the same organization and jobs',
  }),
  now: text(instant, {
    jobs,
    sample: 'DATE',
    default: '2026-11-20T02:00:00Z',
    description: 'Where the clock stands at the start',
  }),
  'latency-ms': text(integer(0, 600_000), {
    jobs,
    kind: 'integer',
    sample: 'N',
    default: '0',
    description: 'Added to every answer',
  }),
  truth: text(file, {
    jobs,
    sample: 'FILE',
    description: 'Keep what complete drains would return as JSON lines',
  }),
  faults: text(file, {
    jobs,
    sample: 'FILE',
    description: 'What goes wrong from the start: a JSON array',
  }),
  children: text(oneOf(['listed', 'hidden']), {
    jobs,
    sample: 'listed|hidden',
    default: 'listed',
    description: 'Whether child jobs are listed without being asked for',
  }),
  'list-in-destination': text(onOff, {
    jobs,
    kind: 'switch',
    default: 'false',
    description: 'List a cross-account copy where it goes, too',
  }),
} as const satisfies Record<string, Option>;

export type SimulateOptionName = keyof typeof simulateOptions;
export type SimulateValue<N extends SimulateOptionName> = ReturnType<(typeof simulateOptions)[N]['parse']>;
