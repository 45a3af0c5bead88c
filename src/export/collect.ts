/** Every planned drain of a run, a number of them at once. */
import type { PublishBatches } from '../lake/publish-batches.ts';
import type { Drained, Planned } from '../ledger/planned.ts';
import { acquireUnlessAborted } from '../shared/abort.ts';
import { createSource } from '../source/backup.ts';
import { type Concurrency, type ConcurrencySummary, openConcurrency } from '../source/concurrency.ts';
import { isEmptyWindow } from '../source/window.ts';
import { copyJobs } from '../tables/copy-jobs.ts';
import { collectTarget, type Destination } from './collect-target.ts';
import { JobsCountedAhead } from './compare-with-aws.ts';
import { CredentialsAhead } from './credentials-ahead.ts';
import { DrainQueue } from './drain-queue.ts';
import type { BegunRun, GrowingPlan } from './growing-plan.ts';
import { JobsFirst } from './jobs-first.ts';
import type { OpenRun } from './open-run.ts';
import type { Publication } from './publication.ts';

export interface Collected extends BegunRun {
  readonly drained: ReadonlyMap<Planned, Drained>;
  readonly concurrency: ConcurrencySummary;
  /** When the first drains were known, by `performance.now()`. */
  readonly readingSince: number;
}

/**
 * Resolves with what came of each planned drain. A drain is missing if it was not begun any more, or if there was
 * nothing to ask for. Rejects when the plan cannot be completed and recorded, or scratch cannot be written, after it has
 * ended the other drains.
 */
export async function collect(
  opened: OpenRun,
  plan: GrowingPlan,
  destination: Destination & {
    readonly batches: Pick<PublishBatches, 'finishTable'>;
    readonly publication: Pick<Publication, 'written'>;
  },
): Promise<Collected> {
  const { settings, planning, log, gate, pageThread } = opened;
  const { progress } = opened.io;
  const broken = new AbortController();
  const signal = AbortSignal.any([opened.stops.draining, broken.signal]);
  const concurrency = openConcurrency(settings.concurrency, { log });
  const source = createSource({
    aws: planning.aws,
    homeRegion: planning.homeRegion,
    concurrency,
    requestsPerSecond: settings.requestsPerSecond,
    targetTimeoutMs: settings.targetTimeoutMs,
    memoryDays: settings.memoryDays,
    recheckTime: planning.recheckTime,
    ...(pageThread === null ? {} : { scanJobs: (bytes) => pageThread.scan(bytes) }),
    onThrottle: (target) => progress.throttled(target),
    log,
  });
  const ahead = new CredentialsAhead(signal, planning.aws.controlSockets);
  const queue = new DrainQueue(undefined, ({ target }) => ahead.hasAnswered(target.accountId));
  const endQueue = () => queue.complete();
  // The run may have been told to end while the engine started.
  if (signal.aborted) endQueue();
  else signal.addEventListener('abort', endQueue, { once: true });
  const context = {
    ...destination,
    source,
    periods: settings.aggregationPeriods,
    runId: planning.runId,
    queue,
    progress,
    log,
    signal,
  };
  const drained = new Map<Planned, Drained>();
  const countedAhead = new JobsCountedAhead(opened, destination.publication);
  const jobs = new JobsFirst(() => {
    // It scans copy jobs only.
    void pageThread?.close();
    if (signal.aborted || gate.opensInMs() > 0) return;
    log.debug('all copy jobs are read: their parts are made while counts are read');
    // Its error is that of the batches' next call.
    destination.batches.finishTable(copyJobs).then(
      () => countedAhead.begin(),
      () => undefined,
    );
  });
  const drainOne = async (next: Planned): Promise<void> => {
    progress.drainBegan(next);
    ahead.began(next.target.accountId);
    try {
      const done = await collectTarget(next, context);
      const { status } = done.report;
      drained.set(next, done);
      jobs.ended(next);
      progress.drained(next, status === 'OK');
      // A drain that the end of the run cut short says nothing about its region.
      const { region } = next.target;
      if (!signal.aborted && queue.ended(region, status)) {
        log.warn({ region }, 'this region does not answer: its other targets are read last');
      }
    } catch (error) {
      broken.abort(error);
      throw error;
    }
  };
  const drainAll = async (): Promise<void> => {
    const open = new Set<Promise<void>>();
    for (;;) {
      const free = await placeFor(concurrency, signal);
      const next = free === null ? undefined : await queue.nextWhenThere();
      if (free === null || next === undefined || signal.aborted) break;
      const drain = drainOne(next).finally(() => {
        free();
        open.delete(drain);
      });
      // It has told `broken` of its error.
      drain.catch(() => undefined);
      open.add(drain);
    }
    await Promise.allSettled(open);
  };

  let readingSince: number | null = null;
  const recorded = plan
    .follow((planned) => {
      const asked = planned.filter(({ window }) => !isEmptyWindow(window));
      readingSince ??= performance.now();
      progress.drainStarted(asked);
      queue.add(asked);
      jobs.add(asked);
      ahead.add(asked.map(({ target }) => target));
    })
    .then((begun) => {
      queue.complete();
      // Another shard's rows may still come.
      if (settings.shard === null) jobs.complete();
      return begun;
    });
  recorded.catch((error: unknown) => broken.abort(error));
  try {
    await drainAll();
    const begun = await recorded;
    if (broken.signal.aborted) throw broken.signal.reason;
    return {
      ...begun,
      drained,
      concurrency: concurrency.summary(),
      readingSince: readingSince ?? performance.now(),
    };
  } finally {
    await countedAhead.end();
    source.close();
  }
}

/** Waits until one more drain may be open; resolves with the way to free its place. Null: the signal is aborted. */
async function placeFor({ drains }: Concurrency, signal: AbortSignal): Promise<(() => void) | null> {
  try {
    const [, free] = await acquireUnlessAborted(drains.acquire(), signal, ([, late]) => late());
    return free;
  } catch (error) {
    if (!signal.aborted) throw error;
    return null;
  }
}
