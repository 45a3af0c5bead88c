/** What `export` would do, found out by asking every target for one page. Writes nothing. */

import type { Settings } from '../config/settings.ts';
import {
  emptyWindowMessage,
  exitCodeOf,
  isFailure,
  isIdleShard,
  isNewlyDisabled,
  needsPerson,
} from '../ledger/coverage.ts';
import { firstLossAt } from '../ledger/data-loss.ts';
import { createdTimes } from '../ledger/open-jobs.ts';
import type { Planned } from '../ledger/planned.ts';
import { dayMs } from '../shared/time.ts';
import { createSource } from '../source/backup.ts';
import { openConcurrency } from '../source/concurrency.ts';
import type { DrainReport, Source } from '../source/source.ts';
import { creationTime, isEmptyWindow } from '../source/window.ts';
import type { ListedRecords } from '../tables/listed-record.ts';
import { utcDay } from '../tables/table.ts';
import { targetName } from '../targets/target.ts';
import type { JobIo } from '../telemetry/job-io.ts';
import type { PlannedTarget, PlanSummary } from '../telemetry/run-summary.ts';
import { makePlan } from './prepare.ts';
import { type AskedDrain, runSize, type WaitingMinutes } from './run-size.ts';
import { createStopSignals } from './stop-signals.ts';

/** @throws ReportedError (src/shared/errors.ts) when discovery fails or the lake cannot be read */
export async function runPlan(settings: Settings, io: JobIo): Promise<PlanSummary> {
  const stops = createStopSignals(io.stopping, settings.deadlineMs);
  const planning = await makePlan(settings, { ...io, mode: 'read', draining: stops.draining });
  const log = io.log.child({ run_id: planning.runId });
  const concurrency = openConcurrency(settings.concurrency, { log });
  const source = createSource({
    aws: planning.aws,
    homeRegion: planning.homeRegion,
    concurrency,
    requestsPerSecond: settings.requestsPerSecond,
    targetTimeoutMs: settings.targetTimeoutMs,
    memoryDays: settings.memoryDays,
    recheckTime: planning.recheckTime,
    onThrottle: (target) => io.progress.throttled(target),
    log,
  });
  try {
    io.progress.drainStarted(planning.planned);
    const tries = await Promise.all(
      planning.planned.map((planned) =>
        concurrency.drains.runExclusive(async () => {
          io.progress.drainBegan(planned);
          const tried = isEmptyWindow(planned.window)
            ? notTried(planned)
            : await tryOne({ planned, source, settings, signal: stops.draining });
          io.progress.drained(planned, tried.report.status === 'OK');
          return tried;
        }),
      ),
    );
    const statuses = tries.map(({ planned, report, page }) => ({
      target: planned.target,
      window: planned.window,
      read: report.status === 'OK',
      ...(isNewlyDisabled(report.status, planned) ? { switchedOff: true as const } : {}),
      status: report.status === 'OK' && page?.records === 0 ? ('OK_EMPTY' as const) : report.status,
    }));
    const plan = tries.map((tried) => plannedTarget(tried, settings, planning.asOf));
    const waiting = waitingMinutes(tries, plan, concurrency.now(), settings);
    return {
      lake: planning.lake.store.url,
      lake_exists: !planning.lake.isNew,
      as_of: new Date(planning.asOf).toISOString(),
      targets: planning.targets.length,
      readable: readableTargets(tries),
      expected_requests: plan.reduce((sum, { expected_requests: requests }) => sum + requests, 0),
      expected_minutes: round(Math.max(waiting.all, waiting.longest)),
      size: runSize(
        tries.flatMap((tried, i) =>
          askedDrain(tried, plan[i]?.expected_requests ?? 0, settings, planning.asOf),
        ),
        {
          accounts: new Set(planning.targets.map(({ accountId }) => accountId)).size,
          waiting,
          memoryDays: settings.memoryDays,
          periods: settings.tables.includes('copy_job_summaries') ? settings.aggregationPeriods : [],
          buckets: planning.lake.buckets,
          shards: settings.shard?.count ?? 1,
        },
      ),
      foreign_objects: planning.foreignFolders,
      plan,
      exit_code:
        isIdleShard(settings, statuses) && !io.stopping.aborted
          ? 0
          : exitCodeOf(statuses, settings.failOn, io.stopping.aborted),
    };
  } finally {
    io.progress.stop();
    source.close();
    stops.dispose();
    await planning.close();
  }
}

interface Tried {
  readonly planned: Planned;
  readonly report: Omit<DrainReport, 'status'> & { readonly status: PlannedTarget['status'] };
  readonly page: FirstPage | null;
  /** How long the one page took. */
  readonly pageMs: number;
}

interface FirstPage {
  readonly records: number;
  readonly more: boolean;
  /** Between the creation of the first and the last job that it lists, in milliseconds. */
  readonly spanMs: number;
}

/** Nothing is left to read. AWS is not asked, because an empty response would look like an empty account. */
function notTried(planned: Planned): Tried {
  const errorMessage = emptyWindowMessage(planned);
  const report = {
    ...readable(0),
    status: 'SKIPPED',
    pages: 0,
    errorName: 'EmptyWindow',
    errorMessage,
  } as const;
  return { planned, report, page: null, pageMs: 0 };
}

async function tryOne({
  planned,
  source,
  settings,
  signal,
}: {
  readonly planned: Planned;
  readonly source: Source;
  readonly settings: Settings;
  readonly signal: AbortSignal;
}): Promise<Tried> {
  const started = performance.now();
  const { table, target, window } = planned;
  const drains =
    table === 'copy_jobs' && window !== null
      ? [() => source.copyJobs(target, window, signal)]
      : settings.aggregationPeriods.map((period) => () => source.copyJobSummaries(target, period, signal));
  const pages: FirstPage[] = [];
  for (const open of drains) {
    const drain = open();
    let page: FirstPage | null = null;
    for await (const { records, more, observedAt } of drain) {
      page = { records: records.length, more, spanMs: spanOf(records, observedAt) };
      break;
    }
    if (page === null) return { planned, report: drain.report(), page, pageMs: performance.now() - started };
    pages.push(page);
  }
  const pageMs = (performance.now() - started) / drains.length;
  return { planned, report: readable(pageMs), page: together(pages), pageMs };
}

/** One page for each period of counts. */
function together(pages: readonly FirstPage[]): FirstPage {
  return {
    records: pages.reduce((sum, { records }) => sum + records, 0),
    more: pages.some(({ more }) => more),
    spanMs: Math.max(0, ...pages.map(({ spanMs }) => spanMs)),
  };
}

function spanOf(records: ListedRecords, observedAt: number): number {
  const times = records.map((record) => creationTime(record, observedAt)).filter((time) => time !== null);
  return times.length < 2 ? 0 : Math.max(...times) - Math.min(...times);
}

function readable(durationMs: number): DrainReport {
  return {
    status: 'OK',
    pages: 1,
    records: 0,
    retries: 0,
    firstRequestId: null,
    lastRequestId: null,
    durationMs,
    errorName: null,
    errorMessage: null,
  };
}

function plannedTarget(tried: Tried, settings: Settings, asOf: number): PlannedTarget {
  const { planned, report } = tried;
  const { target, table, window } = planned;
  const loss = firstLossAt(planned, settings);
  const switchedOff = isNewlyDisabled(report.status, planned) ? { switchedOff: true as const } : {};
  const error = [report.errorName, report.errorMessage].filter((text) => text !== null).join(': ');
  return {
    account_id: target.accountId,
    account_name: target.accountName,
    region: target.region,
    table,
    status: report.status,
    error: error === '' ? null : error,
    needs_person:
      isFailure({ ...planned, ...switchedOff, status: report.status }) &&
      needsPerson(report.status, report.errorName),
    read_through: planned.coveredTo === null ? null : new Date(planned.coveredTo).toISOString(),
    first_loss_at: loss === null ? null : new Date(loss).toISOString(),
    window_from: window?.from == null ? null : new Date(window.from).toISOString(),
    window_to: window === null ? null : new Date(window.to).toISOString(),
    ended_since: planned.endedSince == null ? null : new Date(planned.endedSince).toISOString(),
    expected_requests: report.status === 'OK' ? expectedRequests(tried, settings, asOf) : 0,
  };
}

/**
 * One page per period for counts; for jobs, those of the list, and one for the ends of earlier jobs. A target with parents that have
 * not ended takes a few more: how many, only the jobs themselves say.
 */
function expectedRequests(tried: Tried, settings: Settings, asOf: number): number {
  const { planned, page } = tried;
  if (planned.table === 'copy_job_summaries' || planned.window === null)
    return settings.aggregationPeriods.length;
  const looks = planned.endedSince == null ? 0 : 1;
  return looks + (page?.more ? Math.max(2, Math.ceil(expectedPages(tried, settings, asOf))) : 1);
}

/**
 * As many pages as the window holds of the span of time that the first page covers. This is an estimate: the order of a list is not
 * documented, and jobs do not come evenly.
 */
function expectedPages({ planned, page }: Tried, settings: Settings, asOf: number): number {
  if (planned.window === null || !page?.more) return 1;
  return page.spanMs <= 0 ? 2 : Math.max(1, windowMs(planned, settings, asOf) / page.spanMs);
}

function windowMs({ window }: Planned, { memoryDays }: Settings, asOf: number): number {
  return window === null ? 0 : window.to - (window.from ?? asOf - memoryDays * dayMs);
}

/** Empty: the drain cannot be read, so nobody knows how large it is. */
function askedDrain(tried: Tried, requests: number, settings: Settings, asOf: number): readonly AskedDrain[] {
  const { planned, report, page } = tried;
  if (report.status !== 'OK') return [];
  const records = Math.round((page?.records ?? 0) * expectedPages(tried, settings, asOf));
  const windowDays = windowMs(planned, settings, asOf) / dayMs;
  return [{ table: planned.table, requests, records, windowDays, earlierDays: earlierDays(planned) }];
}

/** Of jobs that are asked for because they may have ended. */
function earlierDays({ window, endedSince, watermark }: Planned): readonly string[] {
  if (endedSince == null || watermark === undefined) return [];
  return createdTimes(watermark.openJobs, watermark.openDays)
    .filter(({ from }) => from < (window?.from ?? 0))
    .map(({ from }) => utcDay(from));
}

function readableTargets(tries: readonly Tried[]): number {
  const bad = new Set<string>();
  const all = new Set<string>();
  for (const { planned, report } of tries) {
    const name = targetName(planned.target);
    all.add(name);
    if (report.status !== 'OK' && report.status !== 'SKIPPED') bad.add(name);
  }
  return all.size - bad.size;
}

/** What the run waits for AWS: all requests together, and the target that takes longest, whose requests follow one another. */
function waitingMinutes(
  tries: readonly Tried[],
  plan: readonly PlannedTarget[],
  concurrency: number,
  { requestsPerSecond }: Pick<Settings, 'requestsPerSecond'>,
): WaitingMinutes {
  const chains = tries.map(({ planned, pageMs }, i) => {
    const requests = plan[i]?.expected_requests ?? 0;
    return {
      name: targetName(planned.target),
      ms: requests * pageMs,
      paceMs: (requests * 1000) / requestsPerSecond,
    };
  });
  const all = chains.reduce((sum, { ms }) => sum + ms, 0) / concurrency;
  const paces = [...Map.groupBy(chains, ({ name }) => name).values()].map((drains) =>
    drains.reduce((sum, { paceMs }) => sum + paceMs, 0),
  );
  const longest = [...chains.map(({ ms }) => ms), ...paces].reduce((most, ms) => Math.max(most, ms), 0);
  return { all: all / 60_000, longest: longest / 60_000 };
}

/** To hundredths, upwards. */
function round(minutes: number): number {
  return Math.ceil(minutes * 100) / 100;
}
