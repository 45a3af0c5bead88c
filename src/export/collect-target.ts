/** One planned (table, target): its pages become rows, its rows are staged, and the rest is kept raw. */
import type { Logger } from 'pino';
import type { CreationDates } from '../lake/creation-dates.ts';
import type { JobLines, JobPageLines } from '../lake/job-lines.ts';
import type { PublishBatches } from '../lake/publish-batches.ts';
import { jobDigest, mostOpenJobs, type OpenJob, type OpenJobsRead } from '../ledger/open-jobs.ts';
import { type Drained, drainName, type Planned } from '../ledger/planned.ts';
import type { RejectedRecords } from '../ledger/rejected.ts';
import { PageLost } from '../shared/page-lost.ts';
import type { DrainReport, Page, Source } from '../source/source.ts';
import { type AggregationPeriod, copyJobSummaries, copyJobSummaryRow } from '../tables/copy-job-summaries.ts';
import { copyJobRow, copyJobs } from '../tables/copy-jobs.ts';
import type { Normalized, Observation, Row } from '../tables/table.ts';
import type { Target } from '../targets/target.ts';
import type { DrainQueue } from './drain-queue.ts';
import { rowsOf } from './page-rows.ts';

/** Where rows and records go. */
export interface Destination {
  readonly creationDates: Pick<CreationDates, 'withFirstDates'>;
  readonly jobLines: Pick<JobLines, 'encode'>;
  readonly batches: Pick<PublishBatches, 'stage' | 'stageLines'>;
  readonly rejected: Pick<RejectedRecords, 'keep'>;
}

export interface CollectContext extends Destination {
  readonly source: Source;
  readonly periods: readonly AggregationPeriod[];
  readonly runId: string;
  readonly queue: Pick<DrainQueue, 'answered'>;
  readonly progress: { page(planned: Planned, rows: number): void };
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** The report says what AWS answered. Rejects only if scratch cannot be written, or publishing broke down. */
export function collectTarget(planned: Planned, context: CollectContext): Promise<Drained> {
  return planned.table === 'copy_jobs' ? collectJobs(planned, context) : collectSummaries(planned, context);
}

/** Rows are staged page by page: a drain that ends badly has read good rows all the same. */
async function collectJobs(planned: Planned, context: CollectContext): Promise<Drained> {
  const { target, window } = planned;
  if (window === null) throw new TypeError('copy_jobs needs a window');
  const tally = emptyTally();
  const openDays = new Set<string>();
  const open = new OpenJobsSeen();
  const openReadAt = planned.watermark?.openReadAt ?? null;
  const stagePage = async (page: Page): Promise<void> => {
    const seen = {
      ...observation(target, page.observedAt, context),
      ...(openReadAt === null ? {} : { openReadAt }),
    };
    // Whether a record holds what replaced bytes that were not UTF-8 is looked up in each: none of them is plain.
    const plain = page.repaired ? noLines(valuesOf(page)) : await context.jobLines.encode(page.records, seen);
    // Staging may wait for the disk, or for a batch: what the lines were made of need not wait with them.
    page.drop();
    tally.rows += plain.rows;
    for (const day of plain.openDays) openDays.add(day);
    for (const { id, created } of plain.open) open.add(id, created);
    await context.batches.stageLines(copyJobs, plain.parts, drainName(planned));
    const odd = plain.odd.length === 0 ? 0 : await stageOdd(page, plain.odd, seen);
    counted(planned, plain.rows + odd, context);
  };
  const stageOdd = async (page: Page, records: readonly unknown[], seen: Observation): Promise<number> => {
    const normalize = (record: unknown) => copyJobRow(record, seen);
    const rows = await rowsIn(page, records, planned, normalize, context, tally);
    for (const row of rows) {
      if (row.is_terminal === true) continue;
      openDays.add(String(row.creation_date));
      open.add(String(row.copy_job_id), Number(row.creation_time));
    }
    const dated = await context.creationDates.withFirstDates(rows);
    await context.batches.stage(copyJobs, dated, drainName(planned));
    return rows.length;
  };

  const { endedSince = null } = planned;
  const onEarlier = (id: string) => open.addEarlier(id);
  const ends = endedSince === null ? undefined : { since: endedSince, onEarlier };
  const drain = context.source.copyJobs(target, window, context.signal, ends);
  let lost: PageLost | null = null;
  try {
    for await (const page of drain) await stagePage(page);
  } catch (error) {
    if (!(error instanceof PageLost)) throw error;
    lost = error;
  }
  const openJobs = open.read(endedSince);
  const report = lost === null ? drain.report() : failedBy(lost, drain.report());
  return { ...planned, report, ...tally, openDays, openJobs, countedDays: new Set() };
}

function failedBy({ name, message }: PageLost, report: DrainReport): DrainReport {
  return { ...report, status: 'FAILED', errorName: name, errorMessage: message };
}

function valuesOf({ records }: Page): readonly unknown[] {
  return records.map(({ value }) => value);
}

function noLines(odd: readonly unknown[]): JobPageLines {
  return { parts: [], rows: 0, openDays: new Set(), open: [], odd };
}

/** Keeps no more than the watermarks can name. */
class OpenJobsSeen {
  readonly #open = new Map<string, OpenJob>();
  readonly #earlier = new Set<string>();

  add(id: string, created: number): void {
    if (this.#open.size > mostOpenJobs) return;
    const job = jobDigest(id);
    this.#open.set(job, { created, job });
  }

  addEarlier(id: string): void {
    this.#earlier.add(jobDigest(id));
  }

  read(endedSince: number | null): OpenJobsRead {
    const open = this.#open.size > mostOpenJobs ? null : [...this.#open.values()];
    return { open, earlier: this.#earlier, endedSince };
  }
}

/** Counts are staged only when the whole drain is good: a slice is replaced whole or not at all. */
async function collectSummaries(planned: Planned, context: CollectContext): Promise<Drained> {
  const tally = emptyTally();
  const countedDays = new Set<string>();
  let whole: DrainReport | null = null;
  for (const period of context.periods) {
    const report = await collectPeriod(planned, period, context, tally, countedDays);
    whole = whole === null ? report : joined(whole, report);
    if (report.status !== 'OK') break;
  }
  if (whole === null) throw new TypeError('copy_job_summaries needs at least one period');
  return { ...planned, report: whole, ...tally, openDays: new Set(), countedDays };
}

async function collectPeriod(
  planned: Planned,
  period: AggregationPeriod,
  context: CollectContext,
  tally: Tally,
  countedDays: Set<string>,
): Promise<DrainReport> {
  const { target } = planned;
  const counts = { pass: 1, rows: [] as Row[], observedAt: null as number | null };
  const rejectedBefore = tally.rejected;
  const collectPage = async (page: Page): Promise<void> => {
    // The drain started again: what earlier passes collected comes once more.
    if (page.pass !== counts.pass) Object.assign(counts, { pass: page.pass, rows: [], observedAt: null });
    counts.observedAt ??= page.observedAt;
    const seen = observation(target, counts.observedAt, context);
    const normalize = (record: unknown) => copyJobSummaryRow(record, seen, period);
    const rows = await rowsIn(page, valuesOf(page), planned, normalize, context, tally);
    counts.rows.push(...rows);
    counted(planned, rows.length, context);
  };

  const drain = context.source.copyJobSummaries(target, period, context.signal);
  for await (const page of drain) await collectPage(page);
  const report = drain.report();
  if (report.status === 'OK' && tally.rejected === rejectedBefore) {
    await context.batches.stage(copyJobSummaries, counts.rows, drainName(planned));
    if (period === 'ONE_DAY') for (const row of counts.rows) countedDays.add(String(row.start_date));
  }
  return report;
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

function observation(target: Target, observedAt: number, { runId }: CollectContext): Observation {
  return { accountId: target.accountId, region: target.region, observedAt, runId };
}

/** The page's rows, counted; its other records are logged and kept where nothing is lost. */
async function rowsIn(
  page: Page,
  records: readonly unknown[],
  planned: Planned,
  normalize: (record: unknown) => Normalized,
  context: CollectContext,
  tally: Tally,
): Promise<readonly Row[]> {
  const { rows, kept, unknownFields } = rowsOf(page, records, planned, normalize);
  const rejected = kept.filter(({ published }) => !published);
  tally.rows += rows.length;
  tally.rejected += rejected.length;
  tally.altered += kept.length - rejected.length;
  tally.rejectedFor ??= rejected[0]?.reason ?? null;
  for (const field of unknownFields) tally.unknownFields.add(field);
  for (const { table, account_id, region, request_id, reason, published } of kept) {
    context.log.warn(
      { account_id, region, table, request_id, reason },
      published
        ? 'a record became a row with characters replaced; it is kept raw'
        : 'a record cannot become a row; it is kept raw',
    );
  }
  await context.rejected.keep(kept);
  return rows;
}

function counted(planned: Planned, rows: number, { queue, progress }: CollectContext): void {
  queue.answered(planned.target.region);
  progress.page(planned, rows);
}

/** Two drains of one target as one; its status is that of the later one, which ended it. */
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
