/** After publishing: compares the lake with AWS's own counts. It reports what it finds, and never keeps a run from ending. */

import type { Settings } from '../config/settings.ts';
import type { Coverage } from '../ledger/coverage.ts';
import type { Drained, Planned } from '../ledger/planned.ts';
import { type AwsMemory, rememberedFrom } from '../ledger/remembered.ts';
import { extended } from '../ledger/watermarks.ts';
import { type ComparedTarget, comparableDays, countedDays } from '../reconciliation/comparable-days.ts';
import { countJobs } from '../reconciliation/read-counts.ts';
import { type Reconciliation, reconcile } from '../reconciliation/reconcile.ts';
import { utcDay } from '../tables/table.ts';
import { targetName } from '../targets/target.ts';
import type { OpenRun, Run } from './open-run.ts';
import type { Publication } from './publication.ts';

/**
 * Null if the run does not read both tables with daily counts, or if the comparison failed or had no time left.
 * @param coverage in the order of the plan
 */
export async function compareWithAws(
  { settings, io, log, stops, planning, scratch }: Run,
  coverage: readonly Coverage[],
  drained: ReadonlyMap<Planned, Drained>,
  { written }: Pick<Publication, 'written'>,
): Promise<Reconciliation | null> {
  const { memoryDays, countMemoryDays } = settings;
  if (!isCompared(settings)) return null;
  const signal = AbortSignal.any([io.stopping, stops.publishing]);
  const run = { asOf: planning.asOf, memoryDays, countMemoryDays };
  try {
    signal.throwIfAborted();
    io.progress.phase('comparing the lake with AWS’s own counts');
    const targets = comparedTargets(planning.planned, coverage, drained, run);
    const found = await reconcile(comparableDays(planning.asOf, targets), {
      store: planning.lake.store,
      buckets: planning.lake.buckets,
      scratchFolder: await scratch.subfolder('reconciliation'),
      reserve: (bytes) => scratch.reserve(bytes),
      log,
      published: etagsOf(written),
      signal,
    });
    for (const { day, error } of found.unreadableDays) {
      log.warn(
        { day, err: error },
        'a part of this day cannot be read, so the day is not compared with AWS’s counts',
      );
    }
    return found;
  } catch (err) {
    // Whatever it is: the ledger is not closed yet, and matters more.
    if (signal.aborted)
      log.warn('the run was told to end before it had compared the lake with AWS’s own counts');
    else log.warn({ err }, 'the lake was not compared with AWS’s own counts');
    return null;
  }
}

function isCompared({ tables, aggregationPeriods }: Settings): boolean {
  const readsBoth = tables.includes('copy_jobs') && tables.includes('copy_job_summaries');
  return readsBoth && aggregationPeriods.includes('ONE_DAY');
}

/** Adds up published jobs while AWS's counts are still being read. What it does not get to, the comparison does. */
export class JobsCountedAhead {
  readonly #run: OpenRun;
  readonly #publication: Pick<Publication, 'written'>;
  readonly #stop = new AbortController();
  #counting: Promise<void> = Promise.resolve();

  constructor(run: OpenRun, publication: Pick<Publication, 'written'>) {
    this.#run = run;
    this.#publication = publication;
  }

  /** Once all parts of jobs are published, or have failed. */
  begin(): void {
    if (isCompared(this.#run.settings) && !this.#stop.signal.aborted) this.#counting = this.#count();
  }

  /** Resolves when the part that is being read is counted. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#counting;
  }

  async #count(): Promise<void> {
    const { io, log, stops, planning, scratch } = this.#run;
    const signal = AbortSignal.any([io.stopping, stops.publishing]);
    try {
      const options = {
        store: planning.lake.store,
        buckets: planning.lake.buckets,
        scratchFolder: await scratch.subfolder('counted-ahead'),
        reserve: (bytes: number) => scratch.reserve(bytes),
        log,
        published: etagsOf(this.#publication.written),
        signal,
      };
      const days = Array.from(countedDays(planning.asOf), utcDay);
      await countJobs(days, options, AbortSignal.any([this.#stop.signal, stops.draining]));
    } catch (err) {
      log.debug({ err }, 'jobs were not counted ahead: the comparison counts them');
    }
  }
}

/** Of a part that was written twice, the later one. */
export function etagsOf(written: Publication['written']): ReadonlyMap<string, string> {
  return new Map(written.map(({ key, etag_after: etag }) => [key, etag]));
}

function comparedTargets(
  planned: readonly Planned[],
  coverage: readonly Coverage[],
  drained: ReadonlyMap<Planned, Drained>,
  run: AwsMemory & { readonly asOf: number },
): readonly ComparedTarget[] {
  const proven = new Map(
    planned.flatMap((one, at) => {
      const { status } = coverage[at] ?? {};
      return one.table === 'copy_jobs'
        ? [[targetName(one.target), provenAfter(one, status, run)] as const]
        : [];
    }),
  );
  return planned.flatMap((one, at) => {
    const counts = coverage[at]?.status;
    if (one.table !== 'copy_job_summaries' || counts === undefined) return [];
    const { target } = one;
    const countedDays = drained.get(one)?.countedDays ?? new Set();
    return [{ target, proven: proven.get(targetName(target)) ?? null, counts, countedDays }];
  });
}

/** The interval of creation time that is proven to be read when this run's watermarks have moved. */
function provenAfter(
  { table, window, watermark }: Planned,
  status: Coverage['status'] | undefined,
  run: AwsMemory & { readonly asOf: number },
): ComparedTarget['proven'] {
  const isGood = status === 'OK' || status === 'OK_EMPTY';
  const covered = { rememberedFrom: rememberedFrom(table, run), openDays: new Set<string>(), asOf: run.asOf };
  const mark =
    isGood && window !== null ? extended(watermark, { ...covered, window }, run.memoryDays) : watermark;
  if (mark === undefined || mark.coveredFrom === null) return null;
  return { from: mark.coveredFrom, to: mark.coveredTo };
}
