/** Adds up the rows of one part. Reads only the columns that say what AWS counts. */
import { type OpenPart, readValues } from '../lake/engines/part-reader.ts';
import { copyJobs } from '../tables/copy-jobs.ts';
import type { Table, Value } from '../tables/table.ts';
import { isUtcDay } from './comparable-days.ts';

/** The texts of a group, in order. `role` is computed: see `roleOfJob` and `roleOfCount`. Counts have no destination. */
export const groupTexts = [
  'account_id',
  'region',
  'resource_type',
  'state',
  'message_category',
  'role',
  'destination_account_id',
  'destination_region',
] as const;

/** Rows that are alike in all that the comparison looks at. */
export interface Group {
  /** The values of `groupTexts`. */
  readonly texts: readonly (string | null)[];
  readonly jobs: number;
}

/** Columns that are no text of a group. */
const furtherColumns = {
  jobs: ['is_parent', 'number_of_child_jobs', 'parent_job_id'],
  counts: ['job_count', 'start_time', 'end_time'],
} as const;

type GetValue = (column: string) => Value;

/**
 * The groups of a part of copy_jobs or copy_job_summaries, in the order of each one's first row.
 * @param day the part's, `yyyy-MM-dd`
 * @throws EngineError when the part cannot be read
 */
export async function countPart(part: OpenPart, table: Table, day: string): Promise<readonly Group[]> {
  const ofJobs = table === copyJobs;
  const names = [...groupTexts, ...(ofJobs ? furtherColumns.jobs : furtherColumns.counts)].filter((name) =>
    part.columns.has(name),
  );
  const groups = new Map<string, { readonly texts: readonly (string | null)[]; jobs: number }>();
  const ids = new Map<string, number>();
  let from = 0;
  for (const { num_rows: size } of part.metadata.row_groups) {
    const to = from + Number(size);
    const columns = new Map<string, readonly Value[]>();
    for (const name of names) columns.set(name, await readValues(part, name, from, to));
    for (let row = 0; row < to - from; row += 1) {
      const get: GetValue = (name) => columns.get(name)?.[row] ?? null;
      const role = ofJobs ? roleOfJob(get) : roleOfCount(get, day);
      const texts = groupTexts.map((name) => (name === 'role' ? role : textOrNull(get(name))));
      const jobs = ofJobs ? 1 : Number(get('job_count') ?? 0);
      const key = texts.map((text) => (text === null ? '' : idOf(ids, text))).join();
      const known = groups.get(key);
      if (known === undefined) groups.set(key, { texts, jobs });
      else known.jobs += jobs;
    }
    from = to;
  }
  return [...groups.values()];
}

/** As in the view leaf_copies: a parent without children is a single copy. */
function roleOfJob(get: GetValue): 'single' | 'parent' | 'child' {
  if (get('parent_job_id')) return 'child';
  const children = get('number_of_child_jobs');
  const hasChildren = typeof children === 'number' ? children > 0 : get('is_parent') === true;
  return hasChildren ? 'parent' : 'single';
}

/** Whether AWS's count is of the UTC day. */
function roleOfCount(get: GetValue, day: string): 'day' | 'other' {
  return isUtcDay(day, timeOrNull(get('start_time')), timeOrNull(get('end_time'))) ? 'day' : 'other';
}

function textOrNull(value: Value): string | null {
  return typeof value === 'string' ? value : null;
}

function timeOrNull(value: Value): number | null {
  return typeof value === 'number' ? value : null;
}

function idOf(ids: Map<string, number>, text: string): number {
  let id = ids.get(text);
  if (id === undefined) {
    id = ids.size;
    ids.set(text, id);
  }
  return id;
}
