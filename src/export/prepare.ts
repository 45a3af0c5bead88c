/** What a run needs before it can read: the caller, as-of and the lake; then the plan. `export` does it, `plan` shows it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Logger } from 'pino';
import type { Aws } from '../aws/aws.ts';
import type { ClockReading } from '../aws/clock.ts';
import type { Settings } from '../config/settings.ts';
import { unknownRegions } from '../config/value-parsers.ts';
import { foreignFolders } from '../lake/foreign-objects.ts';
import { type Lake, openLake } from '../lake/lake.ts';
import { openLakeStore } from '../lake/stores/open-lake-store.ts';
import { joinNight } from '../ledger/nights.ts';
import type { Planned } from '../ledger/planned.ts';
import { newestRun, newRunId } from '../ledger/runs.ts';
import { askUnlessStopped } from '../shared/abort.ts';
import { LinkError } from '../shared/errors.ts';
import { lakeTables } from '../tables/lake-tables.ts';
import { AsOf } from '../targets/as-of.ts';
import type { Caller } from '../targets/target.ts';
import { discoverPlan, type Plan } from './discovery.ts';
import { type AskingIo, type FirstRequests, sendFirstRequests } from './first-requests.ts';

/** All but the plan itself. */
export interface Prepared {
  readonly aws: Aws;
  readonly caller: Caller;
  /** The caller's own. */
  readonly credentials: AwsCredentialIdentityProvider;
  /** Milliseconds since the epoch, AWS's time. */
  readonly asOf: number;
  /** AWS's time now, as-of and what has passed since. */
  readonly now: () => number;
  /** Asks other witnesses for the time if a page's Date cannot be right: see AsOf. */
  readonly recheckTime: (page: ClockReading) => Promise<void>;
  /** The region in which STS was asked. */
  readonly homeRegion: string;
  readonly runId: string;
  readonly lake: Lake;
  /** Folders below the tables that are no partitions of them. */
  readonly foreignFolders: readonly string[];
  /** Finds the targets, once: see `discoverPlan`. */
  discover(): AsyncGenerator<readonly Planned[], Plan>;
  close(): Promise<void>;
}

export interface Planning extends Prepared, Plan {}

export interface PlanningIo extends AskingIo {
  readonly programVersion: string;
}

/**
 * Prepares, and finds every target.
 * @throws ReportedError (src/shared/errors.ts) when it cannot be planned; UnavailableError when `draining` is aborted
 */
export async function makePlan(settings: Settings, io: PlanningIo): Promise<Planning> {
  const prepared = await prepare(settings, io);
  try {
    const discovery = prepared.discover();
    let found = await discovery.next();
    while (!found.done) found = await discovery.next();
    return { ...prepared, ...found.value };
  } catch (error) {
    await prepared.close();
    throw error;
  }
}

/**
 * Opens the lake, and in mode `write` proves that it is writable, before it asks any target for anything. Meanwhile AWS says
 * which accounts and regions there are.
 * @param requests who runs this, and for which targets. Default: asks now
 * @throws ReportedError (src/shared/errors.ts) when that fails; UnavailableError when `draining` is aborted
 */
export async function prepare(
  settings: Settings,
  io: PlanningIo,
  requests: FirstRequests = sendFirstRequests(settings, io),
): Promise<Prepared> {
  try {
    for (const { name, nearest } of unknownRegions(settings.regions === 'enabled' ? [] : settings.regions)) {
      io.log.warn(
        { region: name, nearest },
        `this version knows no region ${name}${nearest === null ? '' : `; the closest name that it knows is ${nearest}`}. If AWS has the region, it is read`,
      );
    }
    return await prepareFor(requests, settings, io);
  } catch (error) {
    requests.cancel();
    requests.aws.close();
    throw error;
  }
}

async function prepareFor(requests: FirstRequests, settings: Settings, io: PlanningIo): Promise<Prepared> {
  const { aws } = requests;
  const identified = await requests.identified;
  const { caller, credentials, region } = identified;
  const { clock } = aws;
  const witnesses = new AsOf({
    aws,
    homeRegion: region,
    regions: settings.regions,
    log: io.log,
    signal: io.draining,
  });
  const present = await askUnlessStopped(io.draining, 'What time it is could not be found out', () =>
    witnesses.determine(),
  );
  const now = () => clock.now();
  const provisionalId = newRunId(present, Date.now());
  const log = io.log.child({ run_id: provisionalId });
  const signal = io.draining;
  const store = await openLakeStore(settings, {
    create: io.mode === 'write',
    aws: () => aws,
    caller: identified,
    log,
    signal,
  });
  try {
    io.progress.phase(`opening the lake ${store.url}`);
    const lake = await askUnlessStopped(signal, `The lake ${store.url} could not be opened`, () =>
      openLake({
        store,
        buckets: settings.buckets,
        ...(settings.shard === null ? {} : { shards: settings.shard.count }),
        allowUnsafeStore: settings.allowUnsafeStore,
        runId: provisionalId,
        programVersion: io.programVersion,
        now: new Date(present).toISOString(),
        mode: io.mode,
        signal,
      }),
    );
    await askUnlessStopped(signal, 'What time it is could not be found out', async () =>
      witnesses.confirm({
        store: store.lastSeen?.() ?? null,
        newestRun: lake.isNew ? null : await newestRun(store, signal),
      }),
    );
    const asOf = await askUnlessStopped(signal, `The night could not be begun in ${store.url}`, () =>
      asOfNight(lake, settings, { asOf: present, runId: provisionalId, now }, { ...io, log }),
    );
    // A run's id begins with its as-of.
    const runId = asOf === present ? provisionalId : newRunId(asOf, Date.now());
    const foreign = await askUnlessStopped(signal, `The lake ${store.url} could not be listed`, () =>
      lookForForeign(lake, log, signal),
    );
    const discover = () =>
      discoverPlan({
        settings,
        lake,
        asOf,
        now,
        witnesses,
        log,
        signal,
        progress: io.progress,
        targets: requests.targets(),
      });
    const close = async () => {
      requests.cancel();
      await store.close();
      aws.close();
    };
    return {
      aws,
      caller,
      credentials,
      asOf,
      now,
      recheckTime: (page) => witnesses.recheck(page),
      homeRegion: region,
      runId,
      lake,
      foreignFolders: foreign,
      discover,
      close,
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The as-of of the night that the shard belongs to, if it has a name; else the run's own. */
async function asOfNight(
  { store }: Lake,
  { shard, night }: Settings,
  { now, ...own }: { readonly asOf: number; readonly runId: string; readonly now: () => number },
  { mode, log, draining }: PlanningIo,
): Promise<number> {
  if (shard === null || night === null || mode === 'read') return own.asOf;
  const time = { now, sleep: (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }) };
  return await joinNight(store, night, { ...own, shards: shard.count }, time, { log, signal: draining });
}

/**
 * What lies where only partitions may lie. A symbolic link there ends the run before it asks any target for anything. A listing
 * that fails does not end it, because reading must not depend on it.
 */
async function lookForForeign(lake: Lake, log: Logger, signal: AbortSignal): Promise<readonly string[]> {
  if (lake.isNew) return [];
  try {
    return await foreignFolders(lake.store, lakeTables, signal);
  } catch (error) {
    if (signal.aborted || error instanceof LinkError) throw error;
    log.warn({ err: error }, 'the lake could not be searched for foreign folders');
    return [];
  }
}
