/** The options that only `simulate` has. Two of them share their names with options of `export`. */
import { knownRegions } from '../aws/known-regions.ts';
import { file } from './location-parsers.ts';
import { type Option, text } from './option.ts';
import { decimal, instant, integer, size } from './quantity-parsers.ts';
import { oneOf, onOff } from './value-parsers.ts';

const jobs = ['simulate'] as const;

export const simulateOptions = {
  port: text(integer(0, 65_535), {
    jobs,
    kind: 'integer',
    sample: 'N',
    default: '0',
    description: 'Port on 127.0.0.1; 0: any free port',
  }),
  accounts: text(integer(1, 100_000), {
    jobs,
    kind: 'integer',
    sample: 'N',
    default: '20',
    description: 'Active accounts in the organization',
  }),
  regions: text(integer(1, knownRegions.length), {
    jobs,
    kind: 'integer',
    sample: 'N',
    default: '4',
    description: 'Enabled regions in each account',
  }),
  'jobs-per-day': text(decimal(0, 10_000_000), {
    jobs,
    kind: 'integer',
    sample: 'N',
    default: '50',
    description: 'Average copy jobs per day in each account and region',
  }),
  days: text(integer(0, 365), {
    jobs,
    kind: 'integer',
    sample: 'N',
    default: '30',
    description: 'Days of history when it starts',
  }),
  seed: text(integer(0, 2 ** 31 - 1), {
    jobs,
    kind: 'integer',
    sample: 'N',
    default: '7',
    description: 'Random seed; the same seed gives the same organization and jobs',
  }),
  now: text(instant, {
    jobs,
    sample: 'DATE',
    default: '2026-11-20T02:00:00Z',
    description: 'Time on the simulated clock when it starts',
  }),
  'latency-ms': text(integer(0, 600_000), {
    jobs,
    kind: 'integer',
    sample: 'N',
    default: '0',
    description: 'Time from a request to its response, in milliseconds',
  }),
  'keep-pages': text(size, {
    jobs,
    sample: 'SIZE',
    description:
      'Keep up to this much of the ListCopyJobs pages in memory, and send a page again without computing it: for benchmarks',
  }),
  truth: text(file, {
    jobs,
    sample: 'FILE',
    description: 'Write the expected result of a complete export to this file, as JSON lines',
  }),
  faults: text(file, {
    jobs,
    sample: 'FILE',
    description: 'JSON file with an array of faults that apply from the start',
  }),
  children: text(oneOf(['listed', 'hidden']), {
    jobs,
    sample: 'listed|hidden',
    default: 'listed',
    description: 'Whether ListCopyJobs lists child jobs by default, or only when a parent is requested',
  }),
  'list-in-destination': text(onOff, {
    jobs,
    kind: 'switch',
    default: 'false',
    description: 'Also list a cross-account copy in its destination account',
  }),
} as const satisfies Record<string, Option>;

export type SimulateOptionName = keyof typeof simulateOptions;
export type SimulateValue<N extends SimulateOptionName> = ReturnType<(typeof simulateOptions)[N]['parse']>;
