/** A lake opened for asking: its store, its room in scratch, and the reader, opened anew when a part has changed. */
import { randomUUID } from 'node:crypto';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Logger } from 'pino';
import { type Aws, createAws } from '../aws/aws.ts';
import { openScratch, type Scratch } from '../lake/scratch.ts';
import { openStore } from '../lake/stores/open.ts';
import type { Store } from '../lake/stores/store.ts';
import { identifyCaller } from '../targets/caller.ts';
import { assumedRole } from '../targets/credentials.ts';
import { type Days, daysUpTo } from './days.ts';
import { explained, isChangedPart } from './engine-errors.ts';
import { type LakeReader, openLakeReader } from './lake-reader.ts';
import { checkStatement, type Statement } from './read-only.ts';
import type { QuerySettings } from './settings.ts';

/** How many days of a lake on S3 are read when none are named: as many as AWS Backup remembers. */
const daysOnS3 = 35;

export interface SessionIo {
  readonly log: Pick<Logger, 'debug' | 'info' | 'warn'>;
  /** Says one line to the person. */
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
  /** The present UTC day, for a lake that no run has told its time. */
  readonly today: string;
  /** Opens the reader; for tests. */
  readonly openReader?: typeof openLakeReader;
}

export interface Session {
  readonly url: string;
  /**
   * Runs `use` over a reader. When a part could not be read, as one that was replaced meanwhile, and `use` has not
   * said that something went out, it runs once more over a fresh listing.
   */
  ask<T>(use: (reader: LakeReader, went: () => void) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * @param names of tables and views that will be asked; undefined: any
 * @throws LakeError, ScratchError, AccessError
 */
export async function openSession(
  settings: QuerySettings,
  io: SessionIo,
  names: ReadonlySet<string> | undefined,
): Promise<Session> {
  const aws =
    settings.lakeRoleArn === null ? null : createAws({ endpointUrl: settings.endpointUrl, maxSockets: 4 });
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
    store = await openedStore(settings, io, aws);
    scratch = await openScratch({
      parent: settings.scratch,
      runId: randomUUID(),
      limitBytes: settings.scratchLimitBytes,
      log: io.log,
    });
    const [openStoreNow, openScratchNow] = [store, scratch];
    const open = async (): Promise<LakeReader> => {
      const days = settings.days ?? (await defaultDays(settings, openStoreNow, io));
      const opened = await (io.openReader ?? openLakeReader)({
        store: openStoreNow,
        folder: settings.lake.kind === 'local' ? settings.lake.folder : null,
        scratch: openScratchNow,
        memoryLimitBytes: settings.memoryLimitBytes,
        days,
        signal: io.signal,
        ...(names === undefined ? {} : { names }),
      });
      if (settings.lake.kind === 's3') io.note(fetchedLine(opened, days));
      if (opened.strangers.length > 0) {
        io.note(`not read, for they are no parts of a table: ${opened.strangers.slice(0, 5).join(', ')}`);
      }
      return opened;
    };
    const ask: Session['ask'] = async (use) => {
      for (let attempt = 1; ; attempt += 1) {
        let gone = false;
        try {
          reader ??= await open();
          return await use(reader, () => {
            gone = true;
          });
        } catch (error) {
          if (attempt > 1 || gone || !isChangedPart(error)) {
            throw explained(error, openStoreNow.url, settings.memoryLimitBytes);
          }
          io.note('a part could not be read, as one that is replaced meanwhile: asking once more');
          await reader?.close();
          reader = undefined;
        }
      }
    };
    return { url: store.url, ask, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Looks at a statement before there is a lake, so that only what it names is fetched. */
export async function checkAlone(sql: string): Promise<Statement> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  try {
    return await checkStatement(await instance.connect(), sql);
  } finally {
    instance.closeSync();
  }
}

async function openedStore(settings: QuerySettings, io: SessionIo, aws: Aws | null): Promise<Store> {
  const options = {
    create: false,
    endpointUrl: settings.s3EndpointUrl,
    kmsKeyId: null,
    expectedBucketOwner: settings.expectedBucketOwner,
    log: io.log,
  };
  if (aws === null || settings.lakeRoleArn === null) return await openStore(settings.lake, options);
  const { credentials, region } = await identifyCaller(aws);
  const role = {
    roleArn: settings.lakeRoleArn,
    sessionName: settings.roleSessionName,
    externalId: settings.externalId,
  };
  return await openStore(settings.lake, {
    ...options,
    credentials: assumedRole(aws, credentials, region, role),
  });
}

/** By the lake's newest run, not this machine's clock: questions take the newest run for now. */
async function defaultDays(settings: QuerySettings, store: Store, io: SessionIo): Promise<Days> {
  if (settings.lake.kind === 'local') return { from: null, to: null };
  let newest: string | null = null;
  for await (const folder of store.list('export_coverage/', { folders: true }, io.signal)) {
    const [, day] = /run_date=(\d{4}-\d\d-\d\d)\/$/.exec(folder) ?? [];
    if (day !== undefined && (newest === null || day > newest)) newest = day;
  }
  return daysUpTo(newest ?? io.today, daysOnS3);
}

function fetchedLine({ parts, bytes }: LakeReader, { from, to }: Days): string {
  const megabytes = (bytes / 1e6).toLocaleString('en', { maximumFractionDigits: 1 });
  const days = `${from ?? 'the first day'} to ${to ?? 'the newest'}`;
  return `fetched ${parts} parts, ${megabytes} MB: ${days}`;
}
