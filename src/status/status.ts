/** The `status` job: what is proven, what is missing and what is lost, from the lake alone. */
import { createAws } from '../aws/aws.ts';
import { acknowledgedPrefix, checkpointsPrefix, runsPrefix } from '../lake/layout.ts';
import { openLakeStore } from '../lake/stores/open-lake-store.ts';
import { storeTime } from '../lake/stores/store-time.ts';
import { type OpenedSession, openSession } from '../query/session.ts';
import { UnreadObjects } from '../query/unread-objects.ts';
import { LakeError, ScratchError, UsageError } from '../shared/errors.ts';
import { dayMs } from '../shared/time.ts';
import { identifyCaller } from '../targets/caller.ts';
import type { JobIo } from '../telemetry/job-io.ts';
import { acknowledge, nothingAcknowledged, readAcknowledged } from './acknowledgements.ts';
import { checkpointedRuns } from './checkpointed-runs.ts';
import {
  daysSearchedAfterLoss,
  daysShown,
  type EndsUnknownSince,
  readCopies,
  readEndsUnknown,
} from './copies.ts';
import { type CoverageFacts, readCoverageFacts } from './coverage-facts.ts';
import { tableMemory } from './drain-status.ts';
import { without } from './intervals.ts';
import { plannedNoMore, unfinishedRuns } from './ledger-runs.ts';
import { type Facts, isCoverageWhole, makeReport } from './make-report.ts';
import { readRecordAgainstAws } from './record-against-aws.ts';
import type { StatusReport } from './status-report.ts';
import type { StatusSettings } from './status-settings.ts';

export interface StatusIo extends Pick<JobIo, 'log' | 'stopping'> {
  readonly progress: Pick<JobIo['progress'], 'phase'>;
  /** This machine's clock, in milliseconds since the epoch. A store on S3 has a better one. */
  readonly localNow: () => number;
  /** Who acknowledges, as this machine knows: user and host. */
  user(): string;
}

/** The tables and views that are read. */
const names: ReadonlySet<string> = new Set([
  'export_coverage',
  'export_reconciliation',
  'copy_jobs',
  'leaf_copies',
  'explained_failures',
]);

/** @throws LakeError, ScratchError, AccessError, UsageError */
export async function runStatus(settings: StatusSettings, io: StatusIo): Promise<StatusReport> {
  if (settings.acknowledge && settings.asOf !== null) {
    throw new UsageError(
      '--acknowledge and --as-of cannot be used together',
      'Acknowledge what is lost now, without --as-of.',
    );
  }
  io.progress.phase('opening the lake');
  const session = await openSession(
    { ...settings, days: daysUntil(settings.asOf) },
    {
      log: io.log,
      note: (line) => io.log.debug(line),
      signal: io.stopping,
      today: new Date(io.localNow()).toISOString().slice(0, 10),
      leaveOutDamage: true,
    },
    names,
  );
  try {
    const facts = await readFacts(session, settings, io);
    const limits = { ...settings, lostSince: lostSince(settings, facts.now) };
    const report = makeReport(facts, limits);
    if (!settings.acknowledge || report.lost.length === 0) return report;
    if (!isCoverageWhole(facts.unread)) throw cannotAcknowledge(facts);
    await writeAcknowledgement(report.lost, facts.now, settings, io);
    const acknowledged = await readAcknowledged(session.store, facts.now, io.stopping);
    return makeReport({ ...facts, acknowledged }, limits);
  } finally {
    await session.close();
  }
}

async function readFacts(session: OpenedSession, settings: StatusSettings, io: StatusIo): Promise<Facts> {
  const { store } = session;
  const { stopping: signal } = io;
  io.progress.phase('reading the coverage of all runs');
  const unread = new UnreadObjects();
  const read = await session.ask(daysShown, signal, async (reader) => {
    const { connection } = reader;
    const newest = await newestRun(connection);
    const now = settings.asOf ?? Math.max(newest, storeTime(store, io.localNow).epochMs);
    const coverage = await readCoverageFacts(connection, now);
    const { rememberedFrom } = tableMemory('copy_jobs', coverage.runs, now);
    const copies = await readCopies(connection, now, rememberedFrom);
    const endsUnknown = await readEndsUnknown(connection, { now, rememberedFrom, days: daysShown });
    const recordAgainstAws = await readRecordAgainstAws(connection, now);
    return { now, coverage, rememberedFrom, copies, endsUnknown, recordAgainstAws, parts: reader.unread };
  });
  for (const { key, why } of read.parts) unread.add(key, why);
  const endsUnknown = isJobLossRecent(read)
    ? await endsAfterLoss(session, read, unread, io)
    : read.endsUnknown;
  io.progress.phase('reading the ledger');
  const reading = { store, unread, signal };
  /** Without what lies there, the rest of the report still stands. */
  const orUnread = async <T>(prefix: string, without: T, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof LakeError)) throw error;
      unread.add(prefix, error);
      return without;
    }
  };
  const unfinished = await orUnread(runsPrefix, [], () => unfinishedRuns(reading, read.coverage, read.now));
  const gone = await orUnread(runsPrefix, new Set<never>(), () => plannedNoMore(reading, read.coverage));
  const acknowledged = await orUnread(acknowledgedPrefix, nothingAcknowledged, () =>
    readAcknowledged(store, read.now, signal),
  );
  const checkpoints = await orUnread(checkpointsPrefix, null, () => checkpointedRuns(reading, read.now));
  return {
    lake: session.url,
    ...read,
    endsUnknown,
    unfinished,
    plannedNoMore: gone,
    acknowledged,
    checkpoints,
    unread: unread.list,
  };
}

interface Remembered {
  readonly now: number;
  readonly coverage: CoverageFacts;
  readonly rememberedFrom: number;
  readonly endsUnknown: EndsUnknownSince;
}

/** Whether copies that were open when a loss began may lie further back than the days that every report reads. */
function isJobLossRecent({ now, coverage, rememberedFrom }: Remembered): boolean {
  const since = now - daysSearchedAfterLoss * dayMs;
  return coverage.drains.some(
    ({ table, firstAsked, proven }) =>
      table === 'copy_jobs' &&
      without({ from: firstAsked, to: rememberedFrom }, proven).some(({ from }) => from >= since),
  );
}

/** On S3 this downloads more days. If scratch is too small for them, the report has the usual days, and says so. */
async function endsAfterLoss(
  session: OpenedSession,
  { now, rememberedFrom, endsUnknown }: Remembered,
  unread: UnreadObjects,
  { log, stopping: signal }: StatusIo,
): Promise<EndsUnknownSince> {
  const days = daysSearchedAfterLoss;
  try {
    return await session.ask(days, signal, async (reader) => {
      const found = await readEndsUnknown(reader.connection, { now, rememberedFrom, days });
      for (const { key, why } of reader.unread) unread.add(key, why);
      return found;
    });
  } catch (error) {
    if (!(error instanceof ScratchError)) throw error;
    log.warn(
      { err: error, days },
      `The scratch space is too small for the copy jobs of ${days} days: jobs whose end is not known are counted from ${endsUnknown.since} on`,
    );
    return endsUnknown;
  }
}

function cannotAcknowledge({ lake, unread }: Facts): LakeError {
  return new LakeError(
    `The coverage of ${lake} cannot be read whole (${unread[0]?.key}), so nobody knows what is lost, and nothing was acknowledged`,
    'Restore it first: verify names what is damaged, and repair says what can be brought back (docs/recovery.md).',
  );
}

/** Opens the lake a second time: for the report it is open for reading only. */
async function writeAcknowledgement(
  losses: StatusReport['lost'],
  at: number,
  settings: StatusSettings,
  io: StatusIo,
): Promise<void> {
  const { stopping: signal } = io;
  const aws = createAws({ endpointUrl: settings.endpointUrl, maxSockets: 4 });
  try {
    // AWS knows better than this machine who has the credentials.
    const identified = settings.lake.kind === 's3' ? await identifyCaller(aws, { signal }) : null;
    const user = io.user();
    const by = identified === null ? user : `${identified.caller.arn} (${user})`;
    const store = await openLakeStore(settings, {
      create: true,
      aws: () => aws,
      ...(identified === null ? {} : { caller: identified }),
      log: io.log,
      signal,
    });
    try {
      await acknowledge(store, losses, { at, by }, signal);
    } finally {
      await store.close();
    }
  } finally {
    aws.close();
  }
}

/** Its as-of; 0 if no run has ended. The report never speaks of a time before it. */
async function newestRun(connection: Parameters<typeof readCoverageFacts>[0]): Promise<number> {
  const reader = await connection.runAndReadAll('SELECT epoch_ms(max(as_of)) FROM export_coverage');
  return Number(reader.getRowsJS()[0]?.[0] ?? 0);
}

/** For a report of the past, only the days before it are read. */
function daysUntil(asOf: number | null) {
  if (asOf === null) return null;
  const day = (epochMs: number) => new Date(epochMs).toISOString().slice(0, 10);
  return { from: day(asOf - daysSearchedAfterLoss * dayMs), to: day(asOf) };
}

function lostSince({ lostSince: since }: StatusSettings, now: number): number | null {
  if (since === null) return null;
  return 'epochMs' in since ? since.epochMs : now - since.agoMs;
}
