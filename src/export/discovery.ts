/** Which drains a run plans: found account by account, so that the first are read while the last are still being listed. */
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { clockToleranceMs } from '../aws/clock.ts';
import type { Settings } from '../config/settings.ts';
import type { Lake } from '../lake/lake.ts';
import { bucketOf, ownsBucket } from '../lake/layout.ts';
import type { Planned } from '../ledger/planned.ts';
import {
  endsFor,
  missingDays,
  readWatermarks,
  targetsRead,
  type Watermark,
  type Watermarks,
  watermarkName,
  windowFor,
} from '../ledger/watermarks.ts';
import { askUnlessStopped } from '../shared/abort.ts';
import { UsageError } from '../shared/errors.ts';
import { isEmptyWindow } from '../source/window.ts';
import type { AsOf } from '../targets/as-of.ts';
import { type Target, targetName } from '../targets/target.ts';
import type { discoverTargets } from '../targets/targets.ts';
import { unlistedTargets } from '../targets/unlisted-regions.ts';
import type { Progress } from '../telemetry/progress.ts';

export interface Plan {
  readonly targets: readonly Target[];
  /** In an order that is always the same. */
  readonly planned: readonly Planned[];
}

export interface DiscoveryOptions {
  readonly settings: Settings;
  readonly lake: Lake;
  readonly asOf: number;
  /** AWS's time, in milliseconds since the epoch. */
  readonly now: () => number;
  readonly witnesses: Pick<AsOf, 'confirm'>;
  /** See `discoverTargets`. */
  readonly targets: ReturnType<typeof discoverTargets>;
  readonly log: Logger;
  readonly progress: Pick<Progress, 'phase'>;
  readonly signal: AbortSignal;
}

/**
 * Each planned drain once, as soon as it is known; then the whole plan, of the same drains. Before the first of them, as-of
 * is confirmed with the time of the services that were asked.
 * @throws ReportedError (src/shared/errors.ts) when it cannot be planned; UnavailableError when `signal` is aborted
 */
export async function* discoverPlan(options: DiscoveryOptions): AsyncGenerator<readonly Planned[], Plan> {
  const { settings, lake, asOf, now, witnesses, log, progress, signal } = options;
  const marks = new KnownMarks(lake, log, signal);
  const drainsOf = new Map<Target, readonly Planned[]>();
  const plan = (targets: readonly Target[]): readonly Planned[] =>
    targets.flatMap((target) => {
      const drains = drainsOf.get(target) ?? planWindows(target, settings, asOf, marks.all);
      drainsOf.set(target, drains);
      return drains;
    });
  const isOurs = ({ accountId }: Target) => ownsBucket(settings.shard, bucketOf(accountId, lake.buckets));
  const readMarks = (targets: readonly Target[]) =>
    askUnlessStopped(signal, `The watermarks of ${lake.store.url} could not be read`, () =>
      marks.readFor(targets, now() + clockToleranceMs),
    );

  progress.phase('asking AWS which accounts and regions there are');
  const discovery = options.targets;
  let found = await discovery.next();
  if (!found.done) {
    await askUnlessStopped(signal, 'What time it is could not be found out', () => witnesses.confirm());
    progress.phase('reading how far earlier runs came');
  }
  for (; !found.done; found = await discovery.next()) {
    const targets = found.value.filter(isOurs);
    await readMarks(targets);
    yield plan(targets);
  }
  const listed = found.value.filter(isOurs);
  const disabled = unlisted(listed, settings, asOf, marks.all, log);
  if (disabled.length > 0) yield plan(disabled);
  const targets = [...listed, ...disabled];
  const planned = plan(targets);
  const [first] = planned;
  if (first !== undefined && planned.every(({ window }) => isEmptyWindow(window))) {
    const to = first.window?.to ?? asOf;
    throw nothingToRead('Every target was read further than the end of the window', to, 'a later --until');
  }
  if (settings.since.kind === 'auto') logReadAgain(planned, settings, asOf, log);
  return { targets, planned };
}

/** Otherwise nobody would learn why a window is long. */
function logReadAgain(
  planned: readonly Planned[],
  { memoryDays }: Settings,
  asOf: number,
  log: Logger,
): void {
  const first = planned.flatMap(({ watermark }) => missingDays(watermark, { asOf, memoryDays }).slice(0, 1));
  const [from] = first.toSorted();
  if (from === undefined) return;
  log.info(
    { targets: first.length, from },
    'AWS’s own counts show jobs that the lake lacks: their days are read again',
  );
}

/** Of accounts that are read: regions that AWS no longer lists as enabled, and that were read before. */
function unlisted(
  listed: readonly Target[],
  { regions, tables, memoryDays }: Settings,
  asOf: number,
  marks: Watermarks,
  log: Logger,
): Target[] {
  if (regions !== 'enabled') return [];
  const targets = unlistedTargets(listed, targetsRead(marks, tables, { asOf, memoryDays }));
  const names = [...new Set(targets.map(({ region }) => region))].sort();
  if (names.length > 0) {
    log.warn(
      { regions: names },
      'AWS no longer lists these regions as enabled, but earlier runs have read them: this run asks them too',
    );
  }
  return targets;
}

function planWindows(target: Target, settings: Settings, asOf: number, marks: Watermarks): Planned[] {
  const to = settings.until.kind === 'as-of' ? asOf : Math.min(settings.until.epochMs, asOf);
  const { memoryDays, fullEveryMs } = settings;
  const memory = { asOf, memoryDays, fullEveryMs, name: targetName(target) };
  return settings.tables.map((table): Planned => {
    const mark = marks.get(watermarkName(table, target.accountId, target.region));
    const known = {
      coveredTo: mark?.coveredTo ?? null,
      ...(mark === undefined ? {} : { watermark: mark }),
      ...(mark?.disabledAt === undefined ? {} : { disabledAt: mark.disabledAt }),
    };
    if (table === 'copy_job_summaries') return { table, target, window: null, ...known };
    const window = windowFor(settings.since, to, mark, memory);
    if (isEmptyWindow(window) && settings.since.kind !== 'auto') {
      throw nothingToRead('--since lies at or after the end of the window', window.to, 'an earlier --since');
    }
    return { table, target, window, endedSince: endsFor(settings.since, window, mark, memory), ...known };
  });
}

function nothingToRead(what: string, to: number, advice: string): UsageError {
  return new UsageError(
    `${what}, ${new Date(to).toISOString()} (as-of, or --until), so nothing is left to read`,
    `Give ${advice}; the end is never later than AWS’s present time.`,
  );
}

/** Files of watermarks that are read at once. */
const bucketsAtOnce = 8;

/** The watermarks that are known so far: a bucket is read when the first account that falls into it is found. */
class KnownMarks {
  readonly #lake: Lake;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #buckets = new Set<number>();
  readonly #marks = new Map<string, Watermark>();

  constructor(lake: Lake, log: Logger, signal: AbortSignal) {
    this.#lake = lake;
    this.#log = log;
    this.#signal = signal;
  }

  get all(): Watermarks {
    return this.#marks;
  }

  /** @param latest a mark after this time is damaged */
  async readFor(targets: readonly Target[], latest: number): Promise<void> {
    const buckets = targets.map(({ accountId }) => bucketOf(accountId, this.#lake.buckets));
    const unread = [...new Set(buckets)].filter((bucket) => !this.#buckets.has(bucket)).sort((a, b) => a - b);
    for (const bucket of unread) this.#buckets.add(bucket);
    const limit = pLimit(bucketsAtOnce);
    await Promise.all(unread.map((bucket) => limit(() => this.#read(bucket, latest))));
  }

  async #read(bucket: number, latest: number): Promise<void> {
    const log = this.#log;
    const read = await readWatermarks(this.#lake.store, bucket, latest, this.#signal);
    for (const [name, mark] of read.marks) this.#marks.set(name, mark);
    if (read.impossible.size > 0) {
      const [first] = read.impossible.keys();
      log.warn(
        { bucket, watermarks: read.impossible.size, first, damaged_if_after: new Date(latest).toISOString() },
        'some watermarks are damaged: they lie in the future, or end before they begin. The run reads these targets again',
      );
    }
    if (read.damage !== null) {
      log.warn({ bucket, damage: read.damage }, 'the watermarks are damaged: the run reads everything again');
    } else if (read.etag === null && !this.#lake.isNew) {
      log.warn({ bucket }, 'there are no watermarks: the run reads everything');
    }
  }
}
