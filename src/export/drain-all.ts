/** All planned drains of a run, so many at once. */
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import type { Drained, Planned } from '../ledger/planned.ts';
import type { RejectedRecord } from '../ledger/rejected.ts';
import { createSource } from '../source/backup.ts';
import { isEmptyWindow } from '../source/window.ts';
import type { Row, Table } from '../tables/table.ts';
import type { Target } from '../targets/target.ts';
import type { Progress } from '../telemetry/progress.ts';
import { drain } from './drain.ts';
import { DrainQueue } from './drain-queue.ts';
import type { Planning } from './prepare.ts';

export interface DrainsContext {
  readonly settings: Settings;
  readonly planning: Planning;
  readonly stage: (table: Table, rows: readonly Row[], target: Target) => Promise<void>;
  readonly reject: (records: readonly RejectedRecord[]) => Promise<void>;
  readonly progress: Progress;
  readonly log: Logger;
  /** Aborted: no new drains, and those under way end. */
  readonly signal: AbortSignal;
}

/**
 * What came of every planned drain; one that is not there was not begun any more, or had nothing to ask for.
 * Rejects only when scratch cannot be written: the other drains are then ended.
 */
export async function drainAll(context: DrainsContext): Promise<ReadonlyMap<Planned, Drained>> {
  const { settings, planning, progress, log } = context;
  const planned = planning.planned.filter(({ window }) => !isEmptyWindow(window));
  const broken = new AbortController();
  const signal = AbortSignal.any([context.signal, broken.signal]);
  const source = createSource({
    aws: planning.aws,
    homeRegion: planning.homeRegion,
    concurrency: settings.concurrency,
    requestsPerSecond: settings.requestsPerSecond,
    targetTimeoutMs: settings.targetTimeoutMs,
    memoryDays: settings.memoryDays,
    recheckTime: planning.recheckTime,
    onThrottle: (target) => progress.throttled(target),
    log,
  });
  const queue = new DrainQueue(planned);
  const drained = new Map<Planned, Drained>();
  const drainNext = async (): Promise<void> => {
    const one = signal.aborted ? undefined : queue.next();
    if (one === undefined) return;
    const { region } = one.target;
    progress.drainBegan(one);
    try {
      const done = await drain(one, {
        source,
        periods: settings.aggregationPeriods,
        runId: planning.runId,
        stage: context.stage,
        reject: context.reject,
        onPage: (rows) => {
          queue.answered(region);
          progress.page(one, rows);
        },
        log,
        signal,
      });
      drained.set(one, done);
      progress.drained(one, done.report.status === 'OK');
      // What the run's own end cut short says nothing about the region.
      if (!signal.aborted && queue.ended(region, done.report.status)) {
        log.warn({ region }, 'nobody answers in this region: the rest of it is read last');
      }
    } catch (error) {
      broken.abort(error);
      throw error;
    }
  };
  progress.drainStarted(planned);
  const limit = pLimit(settings.concurrency);
  try {
    await Promise.allSettled(planned.map(() => limit(drainNext)));
    if (broken.signal.aborted) throw broken.signal.reason;
    return drained;
  } finally {
    source.close();
  }
}
