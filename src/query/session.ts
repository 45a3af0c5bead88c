/** An opened lake: its store, its scratch space, and its reader, which is reopened when a part has changed. */
import { randomUUID } from 'node:crypto';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Logger } from 'pino';
import { type Aws, createAws } from '../aws/aws.ts';
import type { LakeSettings } from '../config/lake-settings.ts';
import { describeForeign } from '../lake/foreign-objects.ts';
import { partitionsOf } from '../lake/partitions.ts';
import { readableStore } from '../lake/rebucketed-view.ts';
import { openScratch, type Scratch } from '../lake/scratch.ts';
import { openLakeStore } from '../lake/stores/open-lake-store.ts';
import type { Store } from '../lake/stores/store.ts';
import type { LookBack } from '../questions/question-sql.ts';
import { ReportedError, UnavailableError } from '../shared/errors.ts';
import { exportCoverage } from '../tables/export-coverage.ts';
import { count } from '../telemetry/paragraphs.ts';
import { printable } from '../telemetry/printable.ts';
import { allDays, type DayRange, daysBefore } from './day-range.ts';
import { describeCoverage, readForCoverage } from './empty-result.ts';
import { describeEngineError, isChangedPart, isOutOfResources } from './engine-errors.ts';
import { type LakeReader, openLakeReader } from './lake-reader.ts';
import type { QuerySettings } from './query-settings.ts';
import { checkStatement, type Statement } from './read-only.ts';

/** Without --from, --to and a question, a lake on S3 is read this many days back from its newest run. */
const daysOnS3 = 34;

export interface SessionIo {
  readonly log: Pick<Logger, 'debug' | 'info' | 'warn'>;
  /** Writes one line for the person. */
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
  /** The current UTC day, for a lake without a run. */
  readonly today: string;
  /** Opens the reader; replaced in tests. */
  readonly openReader?: typeof openLakeReader;
  /** For a report that must say what it can: damaged parts are left out, and `reader.unread` names them. Default: false. */
  readonly leaveOutDamage?: boolean;
}

export type SessionSettings = LakeSettings &
  Pick<QuerySettings, 'days' | 'memoryLimitBytes' | 'scratchLimitBytes'>;

export interface Session {
  readonly url: string;
  /**
   * Runs `use` with a reader of the days of --from and --to, or else of the days that the question needs. Notes it if
   * --from and --to leave out days that the question needs. If a part could not be read, for example because it was just
   * replaced, and `use` has not yet called `went`, it runs once more with a new listing.
   * @param lookBack the question's; null for a person's own SQL
   * @param signal stops the download of parts
   */
  ask<T>(
    lookBack: LookBack | null,
    signal: AbortSignal,
    use: (reader: LakeReader, went: () => void) => Promise<T>,
  ): Promise<T>;
  /**
   * Describes how far the lake was read, independent of the query.
   * @param signal stops the download of parts
   */
  coverage(signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

/** With the store of the lake, for what is no table. */
export interface OpenedSession extends Session {
  readonly store: Store;
}

/**
 * @param names of the tables and views that will be queried; undefined: any
 * @throws LakeError, ScratchError, AccessError
 */
export async function openSession(
  settings: SessionSettings,
  io: SessionIo,
  names: ReadonlySet<string> | undefined,
): Promise<OpenedSession> {
  let aws: Aws | undefined;
  let store: Store | undefined;
  let scratch: Scratch | undefined;
  let reader: LakeReader | undefined;
  const close = async (): Promise<void> => {
    await reader?.close();
    await scratch?.remove();
    await store?.close();
    aws?.close();
  };
  try {
    const opened = await openLakeStore(settings, {
      create: false,
      aws: () => {
        aws = createAws({ endpointUrl: settings.endpointUrl, maxSockets: 4 });
        return aws;
      },
      log: io.log,
      signal: io.signal,
    });
    store = opened;
    const readable = await readableStore(opened, io.signal);
    store = readable.store;
    const inPlace = settings.lake.kind === 'local' && !readable.isView ? settings.lake.folder : null;
    scratch = await openScratch({
      parent: settings.scratch,
      runId: randomUUID(),
      limitBytes: settings.scratchLimitBytes,
      log: io.log,
      whenFull: 'Raise --scratch-limit, read fewer days with --from and --to, or select less.',
    });
    const [openStoreNow, openScratchNow] = [store, scratch];
    const open = async (
      lookBack: LookBack | null,
      pages: boolean,
      signal: AbortSignal,
    ): Promise<LakeReader> => {
      const days = settings.days ?? (await defaultDays(settings, openStoreNow, io.today, lookBack, signal));
      const opened = await (io.openReader ?? openLakeReader)({
        store: openStoreNow,
        folder: inPlace,
        scratch: openScratchNow,
        memoryLimitBytes: settings.memoryLimitBytes,
        days,
        signal,
        ...(names === undefined ? {} : { names }),
        ...(io.leaveOutDamage === true ? { leaveOut: { pages } } : {}),
      });
      if (settings.lake.kind === 's3') io.note(fetchedLine(opened, days));
      const foreign = describeForeign(opened.foreign);
      if (foreign !== null) io.note(printable(foreign));
      return opened;
    };
    const coverage: Session['coverage'] = async (signal) => {
      const coverageReader = await (io.openReader ?? openLakeReader)({
        store: openStoreNow,
        folder: inPlace,
        scratch: openScratchNow,
        memoryLimitBytes: settings.memoryLimitBytes,
        names: readForCoverage,
        signal,
      });
      try {
        return await describeCoverage(coverageReader);
      } finally {
        await coverageReader.close();
      }
    };
    const ask: Session['ask'] = async (lookBack, signal, use) => {
      for (let attempt = 1; ; attempt += 1) {
        let gone = false;
        try {
          if (reader !== undefined && settings.days === null && missedDays(reader, lookBack).length > 0) {
            await reader.close();
            reader = undefined;
          }
          reader ??= await open(lookBack, attempt > 1, signal);
          for (const line of remarks(reader, lookBack)) io.note(line);
          return await use(reader, () => {
            gone = true;
          });
        } catch (error) {
          if (signal.aborted && !(error instanceof ReportedError)) {
            throw new UnavailableError('The query was interrupted', 'Run it again.', { cause: error });
          }
          const mayPass = isChangedPart(error) || (io.leaveOutDamage === true && isOfOnePage(error));
          if (attempt > 1 || gone || !mayPass) {
            throw describeEngineError(error, openStoreNow.url, settings.memoryLimitBytes);
          }
          io.note('a part could not be read, perhaps because an export just replaced it; trying once more');
          await reader?.close();
          reader = undefined;
        }
      }
    };
    return { url: store.url, store, ask, coverage, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The engine's errors about a page that it cannot decode do not always name the part. */
function isOfOnePage(error: unknown): boolean {
  return !(error instanceof ReportedError) && !isOutOfResources(error);
}

/** Checks a statement before the lake is opened, so that only the tables it names are fetched. */
export async function checkAlone(sql: string): Promise<Statement> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  try {
    return await checkStatement(await instance.connect(), sql);
  } finally {
    instance.closeSync();
  }
}

/** Counted from the lake's newest run, not from this machine's clock, because questions use the newest run as "now". */
async function defaultDays(
  settings: SessionSettings,
  store: Store,
  today: string,
  lookBack: LookBack | null,
  signal: AbortSignal,
): Promise<DayRange> {
  if (settings.lake.kind === 'local' || lookBack === 'every day') return allDays;
  let newest: string | null = null;
  for (const { day } of (await partitionsOf(store, exportCoverage, signal)).partitions) {
    if (newest === null || day > newest) newest = day;
  }
  return daysBefore(newest ?? today, lookBack ?? daysOnS3);
}

/** The days that a question needs and that the reader leaves out. */
function missedDays({ leftOut, newestRun }: LakeReader, lookBack: LookBack | null): readonly string[] {
  if (lookBack === null) return [];
  if (lookBack === 'every day') return leftOut;
  if (newestRun === null) return [];
  const { from } = daysBefore(newestRun, lookBack);
  return leftOut.filter((day) => day >= from);
}

/** Notes about what a question's result lacks. */
function remarks(reader: LakeReader, lookBack: LookBack | null): readonly string[] {
  if (lookBack === null) return [];
  if (reader.newestRun === null) {
    return [
      'no export has finished in this lake yet. Questions use the newest finished export as “now”, so they return no rows',
    ];
  }
  const missed = missedDays(reader, lookBack);
  const [first] = missed;
  if (first === undefined) return [];
  return [
    `the result is incomplete: the question needs ${count(missed.length, 'day')} that --from and --to exclude, the first is ${first}`,
  ];
}

function fetchedLine({ parts, bytes, leftOut }: LakeReader, { from, to }: DayRange): string {
  const megabytes = (bytes / 1e6).toLocaleString('en', { maximumFractionDigits: 1 });
  const days = `${from ?? 'the first day'} to ${to ?? 'the newest'}`;
  const [first] = leftOut;
  const rest =
    first === undefined
      ? ''
      : `; ${count(leftOut.length, 'day')} not read, the first is ${first} (see --from and --to)`;
  return `fetched ${count(parts, 'part')}, ${megabytes} MB: ${days}${rest}`;
}
