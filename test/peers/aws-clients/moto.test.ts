import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloseAccountCommand,
  CreateAccountCommand,
  CreateOrganizationalUnitCommand,
  CreateOrganizationCommand,
  ListRootsCommand,
  MoveAccountCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';
import { type S3Server, startMotoS3 } from '../s3-servers.ts';
import { type Relay, startRelay } from './relay.ts';

const cli = join(import.meta.dirname, '../../../src/cli.ts');

let folder: string;
let moto: S3Server;
let simulator: Simulator;
let relay: Relay;
let management: string;
/** Active members by name: `ledger` lies at the root, `shop` in a unit, `stock` in a unit of that unit. */
const members = new Map<string, string>();
let unit: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bce-moto-test-'));
  [moto, simulator] = await Promise.all([
    startMotoS3(),
    // moto answers with this machine's time, so the simulator does too: a run needs witnesses that agree.
    startSimulator({ accounts: 4, regions: 2, jobsPerDay: 4, days: 10, now: Date.now() }),
  ]);
  const { accessKeyId, secretAccessKey } = moto;
  const settings = {
    endpoint: moto.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
  };
  const sts = new STSClient(settings);
  management = (await sts.send(new GetCallerIdentityCommand({}))).Account ?? '';
  unit = await organize(new OrganizationsClient(settings));
  const simulated = simulator.organization.active.map(({ id }) => id);
  const others = simulated.filter((id) => id !== simulator.organization.management.id);
  const standsFor = new Map([[management, simulator.organization.management.id]]);
  for (const [index, id] of [...members.values()].entries()) standsFor.set(id, others[index] ?? '');
  relay = await startRelay({ moto: moto.endpoint, simulator, standsFor });
});

afterAll(async () => {
  await Promise.all([relay?.stop(), simulator?.stop(), moto?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

/** Makes the organization; returns the id of the outer unit. */
async function organize(organizations: OrganizationsClient): Promise<string> {
  await organizations.send(new CreateOrganizationCommand({ FeatureSet: 'ALL' }));
  const root = (await organizations.send(new ListRootsCommand({}))).Roots?.[0]?.Id ?? '';
  const makeUnit = async (ParentId: string, Name: string) => {
    const made = await organizations.send(new CreateOrganizationalUnitCommand({ ParentId, Name }));
    return made.OrganizationalUnit?.Id ?? '';
  };
  const makeAccount = async (AccountName: string, parent: string) => {
    const Email = `${AccountName}@example.com`;
    const made = await organizations.send(new CreateAccountCommand({ AccountName, Email }));
    const AccountId = made.CreateAccountStatus?.AccountId ?? '';
    const move = { AccountId, SourceParentId: root, DestinationParentId: parent };
    if (parent !== root) await organizations.send(new MoveAccountCommand(move));
    return AccountId;
  };
  const outer = await makeUnit(root, 'outer');
  const inner = await makeUnit(outer, 'inner');
  members.set('ledger', await makeAccount('ledger', root));
  members.set('shop', await makeAccount('shop', outer));
  members.set('stock', await makeAccount('stock', inner));
  const closed = await makeAccount('closed', outer);
  await organizations.send(new CloseAccountCommand({ AccountId: closed }));
  return outer;
}

describe('the export, with moto as STS and Organizations', () => {
  it('reads every active account with a session of its own, and everything in them', async () => {
    const lake = join(folder, 'all');
    const run = await exported(lake, ['--accounts', 'all']);
    expect(run.exitCode, run.stderr).toBe(0);

    const names = new Map([...members].map(([name, id]) => [id, name]));
    const coverage = await rows(
      lake,
      'export_coverage',
      'account_id, account_name, region, table_name, status',
    );
    const targets = coverage.map(
      ({ account_id, region, table_name }) => `${account_id} ${region} ${table_name}`,
    );
    const planned = [management, ...members.values()].flatMap((account) =>
      simulator.regions.flatMap((region) =>
        ['copy_jobs', 'copy_job_summaries'].map((table) => `${account} ${region} ${table}`),
      ),
    );
    expect(targets.sort()).toEqual(planned.sort());
    for (const { account_id, account_name, status } of coverage) {
      expect(status).toMatch(/^OK(_EMPTY)?$/);
      if (account_id !== management) expect(account_name).toBe(names.get(String(account_id)));
    }

    const jobs = await rows(lake, 'copy_jobs', 'copy_job_id, queried_account_id');
    const ids = new Set<string>();
    for await (const line of simulator.truth())
      if (line.table === 'copy_jobs') ids.add(line.record.CopyJobId ?? '');
    expect(ids.size).toBeGreaterThan(50);
    expect(jobs.map((row) => row.copy_job_id).sort()).toEqual([...ids].sort());
    expect(new Set(jobs.map((row) => row.queried_account_id))).toEqual(
      new Set([management, ...members.values()]),
    );

    expect([...relay.keysOf.keys()].sort()).toEqual([management, ...members.values()].sort());
    for (const keys of relay.keysOf.values()) expect(keys.size).toBe(1);
  });

  it('finds the accounts of a unit and of the units below it', async () => {
    const lake = join(folder, 'unit');
    const run = await exported(lake, ['--organizational-units', unit]);
    expect(run.exitCode, run.stderr).toBe(0);
    const coverage = await rows(lake, 'export_coverage', 'DISTINCT account_id');
    expect(coverage.map((row) => row.account_id).sort()).toEqual(
      [members.get('shop'), members.get('stock')].sort(),
    );
  });
});

function exported(
  lake: string,
  args: readonly string[],
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(AWS_|BACKUP_COPY_EXPORT_|https?_proxy$)/i.test(name),
  );
  const env = {
    ...Object.fromEntries(inherited),
    AWS_ACCESS_KEY_ID: moto.accessKeyId,
    AWS_SECRET_ACCESS_KEY: moto.secretAccessKey,
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_STS: moto.endpoint,
    AWS_ENDPOINT_URL_ORGANIZATIONS: moto.endpoint,
    AWS_ENDPOINT_URL_BACKUP: relay.endpoint,
    BACKUP_COPY_EXPORT_SCRATCH: join(folder, 'scratch'),
  };
  const regions = ['--regions', simulator.regions.join(','), '--external-id', 'ours'];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [cli, 'export', '--lake', lake, ...regions, ...args],
      { env, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        resolve({ exitCode: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
      },
    );
  });
}

async function rows(lake: string, table: string, columns: string): Promise<Record<string, unknown>[]> {
  const files = (await readdir(join(lake, table), { recursive: true })).filter((name) =>
    name.endsWith('.parquet'),
  );
  const connection = await (await DuckDBInstance.create()).connect();
  const list = files.map((name) => `'${join(lake, table, name)}'`).join(', ');
  return (await connection.runAndReadAll(`SELECT ${columns} FROM read_parquet([${list}])`)).getRowObjects();
}
