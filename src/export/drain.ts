/** One planned (table, target): its pages become rows, its rows are staged, the rest is kept aside. */
import type { Logger } from 'pino';
import { isTooLong, longestStagedLine } from '../lake/staged-line.ts';
import type { Drained, Planned } from '../ledger/planned.ts';
import type { RejectedRecord } from '../ledger/rejected.ts';
import type { DrainReport, Page, Source } from '../source/source.ts';
import { type AggregationPeriod, copyJobSummaries, copyJobSummaryRow } from '../tables/copy-job-summaries.ts';
import { copyJobRow, copyJobs } from '../tables/copy-jobs.ts';
import type { Normalized, Observation, Row, Table } from '../tables/table.ts';
import type { Target } from '../targets/target.ts';

export interface DrainContext {
  readonly source: Source;
  readonly periods: readonly AggregationPeriod[];
  readonly runId: string;
  readonly stage: (table: Table, rows: readonly Row[], target: Target) => Promise<void>;
  readonly reject: (records: readonly RejectedRecord[]) => Promise<void>;
  readonly onPage: (rows: number) => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Rejects only when scratch cannot be written; whatever AWS answers is in the report. */
export function drain(planned: Planned, context: DrainContext): Promise<Drained> {
  return planned.table === 'copy_jobs' ? drainJobs(planned, context) : drainSummaries(planned, context);
}

/** Rows are staged page by page: those of a drain that ends badly are good rows all the same. */
async function drainJobs(planned: Planned, context: DrainContext): Promise<Drained> {
  const { target, window } = planned;
  if (window === null) throw new TypeError('copy_jobs is asked for with a window');
  const tally = emptyTally();
  const openDays = new Set<string>();
  const stagePage = async (page: Page) => {
    const normalize = (record: unknown) => copyJobRow(record, observation(target, page.observedAt, context));
    const rows = await sorted(planned, page, normalize, context, tally);
    for (const row of rows) {
      if (row.is_terminal !== true) openDays.add(String(row.creation_date));
    }
    await context.stage(copyJobs, rows, target);
    context.onPage(rows.length);
  };
  const drain = context.source.copyJobs(target, window, context.signal);
  for await (const page of drain) await stagePage(page);
  return { ...planned, report: drain.report(), ...tally, openDays };
}

/** Counts are staged only when the whole drain is good: a slice is replaced whole or not at all. */
async function drainSummaries(planned: Planned, context: DrainContext): Promise<Drained> {
  const { target } = planned;
  const tally = emptyTally();
  let whole: DrainReport | null = null;
  for (const period of context.periods) {
    const counts = { pass: 1, rows: [] as Row[], observedAt: null as number | null };
    const rejectedBefore = tally.rejected;
    const collectPage = async (page: Page) => {
      // What was collected of an earlier pass comes again.
      if (page.pass !== counts.pass) Object.assign(counts, { pass: page.pass, rows: [], observedAt: null });
      counts.observedAt ??= page.observedAt;
      const seen = observation(target, counts.observedAt, context);
      const normalize = (record: unknown) => copyJobSummaryRow(record, seen, period);
      const fresh = await sorted(planned, page, normalize, context, tally);
      counts.rows.push(...fresh);
      context.onPage(fresh.length);
    };
    const drain = context.source.copyJobSummaries(target, period, context.signal);
    for await (const page of drain) await collectPage(page);
    const report = drain.report();
    if (report.status === 'OK' && tally.rejected === rejectedBefore) {
      await context.stage(copyJobSummaries, counts.rows, target);
    }
    whole = whole === null ? report : joined(whole, report);
    if (report.status !== 'OK') break;
  }
  if (whole === null) throw new TypeError('copy_job_summaries is asked for with at least one period');
  return { ...planned, report: whole, ...tally, openDays: new Set() };
}

interface Tally {
  rows: number;
  rejected: number;
  altered: number;
  rejectedFor: string | null;
  readonly unknownFields: Set<string>;
}

function emptyTally(): Tally {
  return { rows: 0, rejected: 0, altered: 0, rejectedFor: null, unknownFields: new Set() };
}

function observation(target: Target, observedAt: number, { runId }: DrainContext): Observation {
  return { accountId: target.accountId, region: target.region, observedAt, runId };
}

/** The page's rows; its other records go where nothing is lost. */
async function sorted(
  { table, target }: Planned,
  page: Page,
  normalize: (record: unknown) => Normalized,
  context: DrainContext,
  tally: Tally,
): Promise<Row[]> {
  const rows: Row[] = [];
  const kept: RejectedRecord[] = [];
  const keep = (record: unknown, reason: string, published: boolean): void => {
    kept.push({
      table,
      account_id: target.accountId,
      region: target.region,
      observed_at: new Date(page.observedAt).toISOString(),
      request_id: page.requestId,
      reason,
      published,
      record,
    });
  };
  for (const record of page.records) {
    const normalized = normalize(record);
    if ('rejected' in normalized) {
      keep(record, normalized.rejected, false);
      continue;
    }
    if (isTooLong(normalized.row)) {
      keep(record, `the record makes a row of more than ${longestStagedLine / 2 ** 20} MiB`, false);
      continue;
    }
    rows.push(normalized.row);
    for (const field of normalized.unknownFields) tally.unknownFields.add(field);
    const [field] = normalized.alteredFields;
    if (field !== undefined) {
      keep(
        record,
        `${normalized.alteredFields.join(', ')}: not well-formed Unicode; the row has U+FFFD in its place`,
        true,
      );
    } else if (page.repaired && JSON.stringify(record).includes('\ufffd')) {
      keep(record, 'the answer was not UTF-8; the row, and this record, have U+FFFD where it was not', true);
    }
  }
  const rejected = kept.filter(({ published }) => !published);
  tally.rows += rows.length;
  tally.rejected += rejected.length;
  tally.altered += kept.length - rejected.length;
  tally.rejectedFor ??= rejected[0]?.reason ?? null;
  const about = { account_id: target.accountId, region: target.region, table };
  for (const { reason, published } of kept) {
    context.log.warn(
      { ...about, request_id: page.requestId, reason },
      published
        ? 'a record became a row with characters replaced; it is kept raw'
        : 'a record cannot become a row; it is kept raw',
    );
  }
  await context.reject(kept);
  return rows;
}

/** Two drains of one target as one; the later one's status is the one that ended it. */
function joined(first: DrainReport, then: DrainReport): DrainReport {
  return {
    ...then,
    pages: first.pages + then.pages,
    records: first.records + then.records,
    retries: first.retries + then.retries,
    firstRequestId: first.firstRequestId ?? then.firstRequestId,
    lastRequestId: then.lastRequestId ?? first.lastRequestId,
    durationMs: first.durationMs + then.durationMs,
  };
}
