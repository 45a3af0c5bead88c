/** The `catalog` job: defines the lake's tables and views in Athena or Trino. */
import { pathToFileURL } from 'node:url';
import { type Aws, createAws } from '../aws/aws.ts';
import type { LakeLocation } from '../config/typed-values.ts';
import { describeForeign } from '../lake/foreign-objects.ts';
import { openLakeStore } from '../lake/stores/open-lake-store.ts';
import type { Store } from '../lake/stores/store.ts';
import { LakeError, UsageError } from '../shared/errors.ts';
import { lakeTables as tables } from '../tables/lake-tables.ts';
import { utcDay } from '../tables/table.ts';
import { AsOf } from '../targets/as-of.ts';
import { identifyCaller } from '../targets/caller.ts';
import type { JobIo } from '../telemetry/job-io.ts';
import { apply } from './apply.ts';
import { openAthena } from './athena-views.ts';
import type { CatalogReport } from './catalog-report.ts';
import type { CatalogSettings } from './catalog-settings.ts';
import { check } from './check.ts';
import { ddl } from './ddl.ts';
import { openGlue } from './glue.ts';
import { daysOf } from './lake-days.ts';
import type { View } from './statements.ts';

export async function runCatalog(
  settings: CatalogSettings,
  views: readonly View[],
  io: Pick<JobIo, 'log' | 'stopping' | 'programVersion'>,
): Promise<CatalogReport> {
  const aws = createAws({ endpointUrl: settings.endpointUrl, maxSockets: 4 });
  try {
    return settings.action === 'ddl'
      ? await runDdl(settings, views, aws, io)
      : await runGlue(settings, views, aws, io);
  } finally {
    aws.close();
  }
}

type Io = Pick<JobIo, 'log' | 'stopping' | 'programVersion'>;

async function runDdl(
  settings: CatalogSettings,
  views: readonly View[],
  aws: Aws,
  io: Io,
): Promise<CatalogReport> {
  const { dialect, database, lake, trinoCatalog, firstDay } = settings;
  const location = locationOf(lake);
  const { programVersion } = io;
  if (dialect === 'trino') {
    return ddl({ tables, views, location, place: { dialect, catalog: trinoCatalog, schema: database } });
  }
  const place = { dialect, database, programVersion };
  // With --first-day no request is sent, so the statements can be written without access to AWS.
  if (firstDay !== null) return ddl({ tables, views, location, place: { ...place, firstDay } });
  const store = await openLakeStore(settings, {
    create: false,
    aws: () => aws,
    log: io.log,
    signal: io.stopping,
  });
  try {
    const found = await firstDayIn(store, io);
    if (found === null) throw noFirstDay(store.url);
    return ddl({ tables, views, location, place: { ...place, firstDay: found } });
  } catch (error) {
    throw error instanceof LakeError ? notListed(error) : error;
  } finally {
    await store.close();
  }
}

async function runGlue(
  settings: CatalogSettings,
  views: readonly View[],
  aws: Aws,
  io: Io,
): Promise<CatalogReport> {
  const { database, workgroup, outputLocation, encryption } = settings;
  const { caller, credentials, region } = await identifyCaller(aws, { signal: io.stopping });
  const { log, stopping: signal } = io;
  const asOf = await new AsOf({ aws, homeRegion: region, regions: 'enabled', log, signal }).determine();
  const store = await openLakeStore(settings, {
    create: false,
    aws: () => aws,
    log: io.log,
    signal: io.stopping,
  });
  try {
    const lake = locationOf(settings.lake);
    const defaults = aws.clientDefaults(region, credentials);
    const glue = openGlue(defaults, database, io.stopping, aws.retrying);
    const place = { lake, account_id: caller.accountId, region, database };
    const common = { tables, views, glue, place, log: io.log, programVersion: io.programVersion };
    if (settings.action === 'check') {
      return await check({
        ...common,
        store,
        scratch: settings.scratch,
        today: utcDay(asOf),
        stopping: io.stopping,
      });
    }
    return await apply({
      ...common,
      firstDay: await firstDayFor(settings, store, io),
      athena: openAthena(
        defaults,
        { database, workgroup, outputLocation, encryption },
        io.stopping,
        aws.retrying,
      ),
      dryRun: settings.dryRun,
    });
  } finally {
    await store.close();
  }
}

/** Null for an empty lake. Warns about folders that are not partitions; they do not count. */
async function firstDayIn(store: Store, io: Io): Promise<string | null> {
  const { first, foreign } = await daysOf(store, tables, io.stopping);
  const told = describeForeign(foreign);
  if (told !== null) io.log.warn({ foreign: foreign.length }, told);
  return first;
}

/** The earlier of --first-day and the first day in the lake, so that no part is left out. */
async function firstDayFor({ firstDay }: CatalogSettings, store: Store, io: Io): Promise<string> {
  try {
    const found = await firstDayIn(store, io);
    if (firstDay === null && found === null) throw noFirstDay(store.url);
    return [firstDay, found].filter((day) => day !== null).sort()[0] ?? '';
  } catch (error) {
    if (!(error instanceof LakeError)) throw error;
    if (firstDay === null) throw notListed(error);
    io.log.warn({ err: error }, 'the lake cannot be listed; using --first-day');
    return firstDay;
  }
}

function noFirstDay(url: string): UsageError {
  return new UsageError(
    `The lake ${url} is empty, so the first day of the tables is unknown`,
    'Set it with --first-day yyyy-MM-dd, or run export first.',
  );
}

function notListed(error: LakeError): LakeError {
  return new LakeError(
    `The first day of the tables could not be found: ${error.message.replace(/\.$/, '')}`,
    'Or set the day with --first-day yyyy-MM-dd.',
    { cause: error },
  );
}

/** The lake's URL for a query engine, without a slash at the end. */
function locationOf(lake: LakeLocation): string {
  if (lake.kind === 'local') return pathToFileURL(lake.folder).href;
  return `s3://${lake.bucket}/${lake.prefix}`.replace(/\/+$/, '');
}
