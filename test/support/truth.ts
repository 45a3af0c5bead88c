/**
 * What the lake must hold, computed from the simulator's truth without any of the program's own code: fields are
 * flattened by their names alone.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

export type Expected = Readonly<Record<string, string | number | boolean>>;

export interface TruthLine {
  readonly table: 'copy_jobs' | 'copy_job_summaries';
  readonly region: string;
  readonly account_id: string;
  readonly aggregation_period?: string;
  readonly record: Readonly<Record<string, unknown>>;
}

/** The rows by their key: non-null API columns, `region`, and partition columns. */
export interface ExpectedLake {
  readonly copy_jobs: ReadonlyMap<string, Expected>;
  readonly copy_job_summaries: ReadonlyMap<string, Expected>;
}

const times: Readonly<Record<string, string>> = {
  CreationDate: 'creation_time',
  CompletionDate: 'completion_time',
  StartTime: 'start_time',
  EndTime: 'end_time',
};

/** @param periods the aggregation periods that were asked for */
export async function readTruth(
  file: string,
  periods: readonly string[] = ['ONE_DAY'],
): Promise<ExpectedLake> {
  const jobs = new Map<string, { row: Expected; rank: string }>();
  const summaries = new Map<string, Expected>();
  for await (const text of createInterface({ input: createReadStream(file) })) {
    // The simulator writes the file; a line that is not of this shape fails below.
    const line = JSON.parse(text) as TruthLine;
    const row = flat(line.record);
    if (line.table === 'copy_jobs') {
      const id = String(row.copy_job_id);
      const rank = rankOf(line, row);
      const known = jobs.get(id);
      if (known !== undefined && known.rank <= rank) continue;
      const creation_date = new Date(Number(row.creation_time)).toISOString().slice(0, 10);
      jobs.set(id, { rank, row: { ...row, region: line.region, creation_date } });
    } else if (periods.includes(String(line.aggregation_period))) {
      const start_date = new Date(Number(row.start_time)).toISOString().slice(0, 10);
      const whole = { ...row, aggregation_period: String(line.aggregation_period), start_date };
      summaries.set(summaryKey(whole), whole);
    }
  }
  return {
    copy_jobs: new Map([...jobs].map(([id, { row }]) => [id, row])),
    copy_job_summaries: summaries,
  };
}

export function summaryKey(row: Readonly<Record<string, unknown>>): string {
  return [
    'aggregation_period',
    'account_id',
    'region',
    'start_time',
    'state',
    'resource_type',
    'message_category',
  ]
    .map((column) => String(row[column] ?? ''))
    .join('|');
}

/** Of the targets that list a job: the owner's, then the source vault's region, then the lowest. Smaller is better. */
function rankOf(line: TruthLine, row: Expected): string {
  const owner = line.account_id === row.account_id ? 0 : 1;
  const home = String(row.source_backup_vault_arn ?? '').split(':')[3] === line.region ? 0 : 1;
  return `${owner}${home}${line.account_id}/${line.region}`;
}

function flat(record: Readonly<Record<string, unknown>>, prefix = ''): Expected {
  const row: Record<string, string | number | boolean> = {};
  for (const [field, value] of Object.entries(record)) {
    if (field in times) row[String(times[field])] = Math.round(Number(value) * 1000);
    else if (field === 'Count') row.job_count = Number(value);
    else if (field === 'ChildJobsInState') Object.assign(row, children(value));
    else if (typeof value === 'object' && value !== null)
      Object.assign(row, flat({ ...value }, `${prefix}${snake(field)}_`));
    else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      row[`${prefix}${snake(field)}`] = value;
    else throw new Error(`the truth holds ${field}: ${String(value)}`);
  }
  return row;
}

function children(map: unknown): Record<string, string | number> {
  if (typeof map !== 'object' || map === null) throw new Error('ChildJobsInState is no map');
  const entries = Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    child_jobs_in_state: JSON.stringify(Object.fromEntries(entries)),
    ...Object.fromEntries(
      entries.map(([state, count]) => [`child_jobs_in_state_${state.toLowerCase()}`, Number(count)]),
    ),
  };
}

function snake(field: string): string {
  return field.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
}
