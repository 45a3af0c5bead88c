import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AthenaClient, ListQueryExecutionsCommand } from '@aws-sdk/client-athena';
import {
  CreateTableCommand,
  GetDatabaseCommand,
  GetTableCommand,
  GetTablesCommand,
  GlueClient,
  type Table as GlueTable,
  type TableInput,
  UpdateTableCommand,
} from '@aws-sdk/client-glue';
import { CopyObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCatalog } from '../../../src/catalog/catalog.ts';
import type { ApplyReport, CheckReport } from '../../../src/catalog/catalog-report.ts';
import { parseCatalogSettings } from '../../../src/catalog/catalog-settings.ts';
import type { View } from '../../../src/catalog/statements.ts';
import { copyJobs } from '../../../src/tables/copy-jobs.ts';
import { type Lab, openLab } from '../../support/lab.ts';
import { type S3Server, startMotoS3 } from '../s3-servers.ts';

/** moto is Glue, Athena, S3 and STS; the simulator is AWS Backup. */
let moto: S3Server;
let lab: Lab;
let lake: string;
let scratch: string;
let glue: GlueClient;
let s3: S3Client;
let database: string;
let count = 0;
const environment = new Map<string, string | undefined>();

const views: readonly View[] = [
  { name: 'good_copies', title: 'Good', about: '', sql: `SELECT * FROM copy_jobs WHERE state = 'COMPLETED'` },
  { name: 'good_days', title: 'Days', about: '', sql: 'SELECT DISTINCT creation_date FROM good_copies' },
];

beforeAll(async () => {
  [moto, scratch] = await Promise.all([startMotoS3(), mkdtemp(join(tmpdir(), 'bce-catalog-test-'))]);
  // More days than a check samples.
  lab = await openLab({ accounts: 1, regions: 1, days: 6 });
  lake = `s3://${moto.bucket}/lake`;
  const { endpoint, accessKeyId, secretAccessKey, region } = moto;
  const settings = { endpoint, region, credentials: { accessKeyId, secretAccessKey } };
  glue = new GlueClient(settings);
  s3 = new S3Client({ ...settings, forcePathStyle: true });
  // The simulator asks for credentials of its own, moto takes any.
  for (const service of ['S3', 'GLUE', 'ATHENA']) set(`AWS_ENDPOINT_URL_${service}`, endpoint);
  const summary = await lab.run({ lake });
  expect(summary.exit_code).toBe(0);
});

afterAll(async () => {
  for (const [name, value] of environment) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await Promise.all([lab?.close(), moto?.stop(), rm(scratch, { recursive: true, force: true })]);
});

beforeEach(() => {
  count += 1;
  database = `copies_${count}`;
});

function set(name: string, value: string): void {
  environment.set(name, process.env[name]);
  process.env[name] = value;
}

async function catalog(action: string, flags: Readonly<Record<string, string>> = {}, of = views) {
  const settings = parseCatalogSettings({
    flags: { action, lake, database, scratch, ...flags },
    env: {},
    cwd: scratch,
    temporaryFolder: tmpdir(),
    readFile: () => '',
  });
  return await runCatalog(settings, of, {
    log: pino({ level: 'silent' }),
    stopping: new AbortController().signal,
    programVersion: '1.2.3',
  });
}

// Which report an action gives is stated in report.ts; a wrong one would fail every expectation below.
const apply = async (flags?: Readonly<Record<string, string>>, of?: readonly View[]) =>
  (await catalog('apply', flags, of)) as ApplyReport;
const check = async (flags?: Readonly<Record<string, string>>, of?: readonly View[]) =>
  (await catalog('check', flags, of)) as CheckReport;

/** What Athena does when it makes a view, and moto does not. */
async function viewsAreMade(): Promise<void> {
  for (const { name } of views) {
    const TableInput = { Name: name, TableType: 'VIRTUAL_VIEW', ViewOriginalText: '/* Presto View */' };
    await glue.send(new CreateTableCommand({ DatabaseName: database, TableInput }));
  }
}

async function tableOf(name: string): Promise<GlueTable> {
  const { Table } = await glue.send(new GetTableCommand({ DatabaseName: database, Name: name }));
  if (!Table) throw new Error(`${name} is not there`);
  return Table;
}

/** Changes a table in Glue as a person, or another program, might. */
async function changed(name: string, change: (table: GlueTable) => Partial<TableInput>): Promise<void> {
  const { Description, Owner, Parameters, PartitionKeys, StorageDescriptor, TableType } = await tableOf(name);
  const found: TableInput = {
    Name: name,
    Description,
    Owner,
    Parameters,
    PartitionKeys,
    StorageDescriptor,
    TableType,
  };
  const TableInput: TableInput = { ...found, ...change(await tableOf(name)) };
  await glue.send(new UpdateTableCommand({ DatabaseName: database, TableInput }));
}

async function everything() {
  const { TableList } = await glue.send(new GetTablesCommand({ DatabaseName: database }));
  return [(await glue.send(new GetDatabaseCommand({ Name: database }))).Database, TableList];
}

describe('catalog apply', () => {
  it('makes the database, the tables and the views; the second time there is no difference', async () => {
    const first = await apply();
    expect(first).toMatchObject({ exit_code: 0, refusals: [] });
    expect(first.changes.map((change) => change.replace(/:.*/, ''))).toEqual([
      `+ database ${database}`,
      '+ table copy_jobs',
      '+ table copy_job_summaries',
      '+ table export_coverage',
      '+ table export_reconciliation',
      '+ view good_copies',
      '+ view good_days',
    ]);
    await viewsAreMade();
    const before = await everything();
    expect(await apply()).toMatchObject({ exit_code: 0, changes: [], refusals: [] });
    expect(await everything()).toEqual(before);

    const jobs = await tableOf('copy_jobs');
    expect(jobs).toMatchObject({
      TableType: 'EXTERNAL_TABLE',
      PartitionKeys: [{ Name: 'creation_date', Type: 'string' }],
      StorageDescriptor: { Location: `${lake}/copy_jobs/` },
      Parameters: {
        EXTERNAL: 'TRUE',
        'projection.enabled': 'true',
        'backup_copy_export.schema_version': String(copyJobs.schemaVersion),
        'backup_copy_export.program_version': '1.2.3',
      },
    });
    expect(jobs.Parameters?.['projection.creation_date.range']).toBe(`${await firstDayInLake()},NOW`);
  });

  it('asks Athena for each view once, in the order in which they need each other', async () => {
    await apply();
    await viewsAreMade();
    const asked = async () => (await queries()).length;
    const before = await asked();
    expect(before).toBeGreaterThanOrEqual(2);
    await apply();
    expect(await asked()).toBe(before);
    const other = views.map((view) =>
      view.name === 'good_days' ? { ...view, sql: 'SELECT 1 AS one' } : view,
    );
    expect((await apply({}, other)).changes).toEqual(['~ view good_days']);
    expect(await asked()).toBe(before + 1);
  });

  it('adds a column that Glue lacks, and keeps what else is there', async () => {
    await apply();
    await changed('copy_jobs', ({ StorageDescriptor, Parameters }) => ({
      Owner: 'somebody',
      Parameters: { ...Parameters, 'their.own': 'kept' },
      StorageDescriptor: {
        ...StorageDescriptor,
        Columns: (StorageDescriptor?.Columns ?? []).filter(({ Name }) => Name !== 'is_terminal'),
      },
    }));
    const { changes, refusals } = await apply({}, []);
    expect([changes, refusals]).toEqual([['+ copy_jobs: column is_terminal boolean'], []]);
    const { StorageDescriptor, Parameters, Owner } = await tableOf('copy_jobs');
    expect(StorageDescriptor?.Columns?.at(-1)).toMatchObject({ Name: 'is_terminal', Type: 'boolean' });
    expect([Owner, Parameters?.['their.own']]).toEqual(['somebody', 'kept']);
    expect((await apply({}, [])).changes).toEqual([]);
  });

  it.each<readonly [string, (table: GlueTable) => Partial<TableInput>, RegExp]>([
    [
      'a changed type',
      ({ StorageDescriptor: storage }) => ({
        StorageDescriptor: {
          ...storage,
          Columns: (storage?.Columns ?? []).map((one) =>
            one.Name === 'backup_size_in_bytes' ? { ...one, Type: 'string' } : one,
          ),
        },
      }),
      /copy_jobs: column backup_size_in_bytes is string in Glue, but bigint in the definition/,
    ],
    [
      'a column that the definition no longer has',
      ({ StorageDescriptor: storage }) => ({
        StorageDescriptor: {
          ...storage,
          Columns: [...(storage?.Columns ?? []), { Name: 'gone', Type: 'int' }],
        },
      }),
      /copy_jobs: column gone is in Glue, but no longer in the definition/,
    ],
    [
      'other partition columns',
      () => ({ PartitionKeys: [{ Name: 'month', Type: 'string' }] }),
      /copy_jobs: Glue has it partitioned by month, not by creation_date/,
    ],
    [
      'another lake',
      ({ StorageDescriptor: storage }) => ({
        StorageDescriptor: { ...storage, Location: 's3://another/copy_jobs/' },
      }),
      /Glue has it at s3:\/\/another\/copy_jobs\/.* use another --database/,
    ],
    [
      'a newer schema',
      ({ Parameters }) => ({ Parameters: { ...Parameters, 'backup_copy_export.schema_version': '99' } }),
      /schema version 99.*update backup-copy-export/,
    ],
    [
      'a table of another kind',
      () => ({ TableType: 'VIRTUAL_VIEW' }),
      /Glue has a VIRTUAL_VIEW of this name, not an external table/,
    ],
  ])('refuses %s, and then changes nothing at all', async (_, change, message) => {
    await apply();
    await changed('copy_jobs', change);
    await changed('export_coverage', () => ({ Description: 'changed' }));
    const before = await everything();
    const report = await apply();
    expect(report.exit_code).toBe(78);
    expect(report.refusals.join('\n')).toMatch(message);
    expect(report.changes).toContain('~ export_coverage: description');
    expect(await everything()).toEqual(before);
  });

  it('refuses a view where a table has its name', async () => {
    await apply({}, []);
    const TableInput = { Name: 'good_copies', TableType: 'EXTERNAL_TABLE' };
    await glue.send(new CreateTableCommand({ DatabaseName: database, TableInput }));
    expect((await apply()).refusals).toEqual([
      'good_copies: Glue has a EXTERNAL_TABLE of this name, where a view belongs',
    ]);
  });

  it('with --dry-run shows the same difference and changes nothing', async () => {
    const asked = (await queries()).length;
    const dry = await apply({ 'dry-run': 'true' });
    await expect(everything()).rejects.toThrow(/not found/);
    expect((await queries()).length).toBe(asked);
    expect((await apply()).changes).toEqual(dry.changes);
  });

  it('never moves the first day forward', async () => {
    await apply({ 'first-day': '2020-01-01' }, []);
    expect((await apply({}, [])).changes).toEqual([]);
    const { Parameters } = await tableOf('copy_jobs');
    expect(Parameters?.['projection.creation_date.range']).toBe('2020-01-01,NOW');
  });
});

describe('catalog check', () => {
  it('is content after an apply, and has read parts of every table', async () => {
    await apply();
    await viewsAreMade();
    const report = await check();
    expect(report).toMatchObject({ exit_code: 0, drifts: [] });
    expect(report.parts).toBeGreaterThan(report.parts_read);
    expect(report.parts_read).toBeGreaterThanOrEqual(7);
  });

  it('names a database, tables and views that are missing', async () => {
    expect((await check()).drifts).toEqual([`database ${database} is not in Glue; run catalog apply`]);
    await apply({}, []);
    const { exit_code: code, drifts } = await check();
    expect(code).toBe(78);
    expect(drifts).toEqual(views.map(({ name }) => `view ${name}: not in Glue; run catalog apply`));
  });

  it('names every difference between Glue and the definitions', async () => {
    await apply();
    await viewsAreMade();
    await changed('copy_jobs', ({ StorageDescriptor: storage, Parameters }) => ({
      Parameters: { ...Parameters, 'projection.enabled': 'false' },
      StorageDescriptor: {
        ...storage,
        Columns: (storage?.Columns ?? []).flatMap((one) => {
          if (one.Name === 'state') return [{ ...one, Type: 'int' }];
          return one.Name === 'region' ? [] : [one];
        }),
      },
    }));
    const other = views.map((view) =>
      view.name === 'good_days' ? { ...view, sql: 'SELECT 1 AS one' } : view,
    );
    expect((await check({}, other)).drifts).toEqual([
      'copy_jobs: column state is int in Glue, but string in the definition',
      'copy_jobs: column region string (catalog apply would change it)',
      'copy_jobs: parameter projection.enabled: true, was false (catalog apply would change it)',
      'view good_days: Glue has another definition; run catalog apply',
    ]);
  });

  it('names parts outside the projected range, foreign objects, and parts with another schema', async () => {
    const other = `s3://${moto.bucket}/drifted`;
    await copyLake('lake/', 'drifted/');
    await apply({ lake: other }, []);
    expect((await check({ lake: other }, [])).drifts).toEqual([]);

    const [first = ''] = await keys('drifted/copy_jobs/');
    const [summary = ''] = await keys('drifted/copy_job_summaries/');
    await copy(first, 'drifted/copy_jobs/creation_date=2019-05-05/part-00000.parquet');
    await copy(first, 'drifted/copy_jobs/creation_date=2999-01-01/part-00000.parquet');
    await copy(summary, summary.replace('ONE_DAY', 'ONE_YEAR'));
    await copy(
      summary,
      'drifted/export_coverage/run_date=2026-11-19/01a1f188-3d00-7000-8000-00000000000a.parquet',
    );
    await put('drifted/copy_jobs/notes.txt', 'hello');
    await put('drifted/copy_jobs/creation_date=2026-13-45/part-00000.parquet', 'hello');
    await put(
      'drifted/export_coverage/run_date=2026-11-18/01a1ec61-e100-7000-8000-00000000000b.parquet',
      'hello',
    );
    const { drifts, exit_code: code } = await check({ lake: other }, []);
    expect(code).toBe(78);
    const expected = [
      /^copy_jobs\/notes\.txt: not a part of this lake/,
      /^copy_jobs\/creation_date=2026-13-45\/part-00000\.parquet: not a part/,
      /^copy_jobs\/creation_date=2019-05-05\/part-00000\.parquet: before the projected range/,
      /^copy_jobs\/creation_date=2999-01-01\/part-00000\.parquet: after the projected range/,
      /aggregation_period=ONE_YEAR\/.*: not a part of this lake/,
      /^export_coverage\/run_date=2026-11-18\/[\da-f-]{35}b\.parquet: not readable as Parquet/,
      /^export_coverage\/run_date=2026-11-19\/[\da-f-]{35}a\.parquet: contains the column job_count, which the table does not define/,
    ];
    for (const pattern of expected)
      expect(
        drifts.some((drift) => pattern.test(drift)),
        String(pattern),
      ).toBe(true);
    for (const drift of drifts) {
      expect(
        expected.slice(0, 6).some((one) => one.test(drift)) || /a\.parquet: contains/.test(drift),
        drift,
      ).toBe(true);
    }

    // The range is what apply can mend; the rest is for a person.
    expect((await apply({ lake: other }, [])).changes).toContainEqual(
      expect.stringMatching(/^~ copy_jobs: parameter projection\.creation_date\.range: 2019-05-05,NOW/),
    );
    expect((await check({ lake: other }, [])).drifts.join('\n')).not.toMatch(/before the projected/);
  });
});

async function queries(): Promise<readonly string[]> {
  const { endpoint, accessKeyId, secretAccessKey, region } = moto;
  const athena = new AthenaClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
  return (await athena.send(new ListQueryExecutionsCommand({}))).QueryExecutionIds ?? [];
}

async function keys(prefix: string): Promise<readonly string[]> {
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: moto.bucket, Prefix: prefix }));
  return (Contents ?? []).flatMap(({ Key }) => Key ?? []);
}

async function firstDayInLake(): Promise<string | undefined> {
  const days = (await keys('lake/')).flatMap((key) => /_date=([\d-]{10})\//.exec(key)?.[1] ?? []);
  return days.sort()[0];
}

async function copy(from: string, to: string): Promise<void> {
  await s3.send(
    new CopyObjectCommand({ Bucket: moto.bucket, CopySource: `${moto.bucket}/${from}`, Key: to }),
  );
}

async function copyLake(from: string, to: string): Promise<void> {
  for (const key of await keys(from)) await copy(key, key.replace(from, to));
}

async function put(Key: string, Body: string): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: moto.bucket, Key, Body }));
}
