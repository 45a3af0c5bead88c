import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readerRole } from '../../../src/simulator/simulated-organization.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';
import { defaultOptions } from '../../../src/simulator/simulator-options.ts';
import { pythonPeers } from '../python.ts';

let python: string;
let folder: string;
let truth: string;
let simulator: Simulator;

beforeAll(async () => {
  python = await pythonPeers();
  folder = await mkdtemp(join(tmpdir(), 'bce-aws-clients-'));
  truth = join(folder, 'truth.ndjson');
  simulator = await startSimulator({
    ...defaultOptions,
    accounts: 4,
    regions: 3,
    jobsPerDay: 8,
    days: 20,
    truthFile: truth,
  });
});

afterAll(async () => {
  await simulator?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Found {
  readonly differences: readonly string[];
  readonly pages: number;
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  readonly own: string;
  readonly records: Readonly<Record<string, number>>;
  /** Records found with a filter, and without. */
  readonly filtered: Readonly<Record<string, readonly [number, number]>>;
  /** HTTP status, code, and whether there was a request id. */
  readonly errors: Readonly<Record<string, readonly [number, string, boolean] | 'none'>>;
}

describe('boto3, as a client of the simulator', () => {
  let found: Found;
  beforeAll(async () => {
    const script = join(import.meta.dirname, 'clients.py');
    const { stdout } = await ended('python', [script, simulator.endpoint, truth, readerRole]);
    found = JSON.parse(stdout);
  });

  it('finds the accounts, the regions, and in each of them every record of the truth, field by field', async () => {
    expect(found.differences).toEqual([]);
    expect(found.accounts).toHaveLength(4);
    expect(found.regions).toHaveLength(3);
    const lines = (await readFile(truth, 'utf8')).trimEnd().split('\n');
    const jobs = lines.filter((line) => line.includes('"table":"copy_jobs"'));
    expect(found.records.copy_jobs).toBe(jobs.length);
    expect(found.records.copy_jobs).toBeGreaterThan(500);
    expect(found.records.copy_job_summaries).toBeGreaterThan(100);
  });

  it('reads them page by page', () => {
    const { copy_jobs = 0, copy_job_summaries = 0 } = found.records;
    expect(found.pages).toBeGreaterThan(copy_jobs / 4 + copy_job_summaries / 3);
  });

  it('gets with every filter the records that the filter names', () => {
    // Differences would be listed above; here: that every filter left some out, and let some through.
    expect(Object.keys(found.filtered)).toHaveLength(12);
    for (const [name, [some, all]] of Object.entries(found.filtered)) {
      expect(some, name).toBeGreaterThan(0);
      if (name === 'ByAccountId') expect(some).toBe(all);
      else expect(some, name).toBeLessThan(all);
    }
  });

  it('gets the errors of AWS, by status and code', () => {
    expect(found.errors).toEqual({
      'unknown key': [403, 'UnrecognizedClientException', true],
      // Services with a JSON protocol have another name for it than STS; clients know both.
      'wrong secret': [
        403,
        expect.stringMatching(/^(InvalidSignatureException|SignatureDoesNotMatch)$/),
        true,
      ],
      'wrong secret at STS': [403, 'SignatureDoesNotMatch', true],
      'no such state': [400, 'InvalidParameterValueException', true],
      'pages too large': [400, 'InvalidParameterValueException', true],
      'foreign token': [400, 'InvalidParameterValueException', true],
      'no such role': [403, 'AccessDenied', true],
      deny: [403, 'AccessDeniedException', true],
      'deny, counts': [403, 'AccessDeniedException', true],
      'disable-region': [403, 'UnrecognizedClientException', true],
      'disable-region, counts': [403, 'UnrecognizedClientException', true],
      throttle: [400, 'ThrottlingException', true],
      'throttle, counts': [400, 'ThrottlingException', true],
      'expired-credentials': [403, 'ExpiredTokenException', true],
      'expired-credentials, counts': [403, 'ExpiredTokenException', true],
      'server-error': [500, 'ServiceUnavailableException', true],
      'server-error, counts': [500, 'ServiceUnavailableException', true],
      'after all that': 'none',
    });
  });
});

describe('the AWS CLI, as a client of the simulator', () => {
  it('says who it is', async () => {
    const { Account, Arn } = await aws('sts', 'get-caller-identity');
    expect(Account).toMatch(/^\d{12}$/);
    expect(Arn).toContain(`:${Account}:`);
  });

  it('lists accounts, and the same regions from Account and from EC2', async () => {
    const { Accounts } = await aws('organizations', 'list-accounts');
    expect(Accounts.filter(({ Status }: { Status: string }) => Status === 'ACTIVE')).toHaveLength(4);
    const enabled = ['--region-opt-status-contains', 'ENABLED', 'ENABLED_BY_DEFAULT'];
    const { Regions } = await aws('account', 'list-regions', ...enabled);
    const { Regions: ofEc2 } = await aws('ec2', 'describe-regions');
    const names = (regions: readonly { RegionName: string }[]) =>
      regions.map(({ RegionName }) => RegionName).sort();
    expect(names(Regions)).toHaveLength(3);
    expect(names(ofEc2)).toEqual(names(Regions));
  });

  it('follows pages within a call, and from call to call with its own starting token', async () => {
    const { CopyJobs: all } = await aws('backup', 'list-copy-jobs', '--page-size', '7');
    expect(all.length).toBeGreaterThan(30);
    const ids = all.map(({ CopyJobId }: { CopyJobId: string }) => CopyJobId);
    const own = (await readFile(truth, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line): TruthLine => JSON.parse(line))
      .filter(
        ({ table, region, account_id }) =>
          table === 'copy_jobs' && region === 'us-east-1' && account_id === all[0].AccountId,
      )
      .map(({ record }) => record.CopyJobId);
    expect([...ids].sort()).toEqual(own.sort());

    const pieces: string[] = [];
    let token: string[] = [];
    for (let calls = 0; calls < 3; calls++) {
      const piece = await aws('backup', 'list-copy-jobs', '--page-size', '5', '--max-items', '12', ...token);
      pieces.push(...piece.CopyJobs.map(({ CopyJobId }: { CopyJobId: string }) => CopyJobId));
      token = ['--starting-token', piece.NextToken];
    }
    expect(pieces).toEqual(ids.slice(0, 36));
  });

  it('filters, and counts', async () => {
    const { CopyJobs } = await aws('backup', 'list-copy-jobs', '--by-state', 'COMPLETED');
    expect(CopyJobs.length).toBeGreaterThan(0);
    expect(new Set(CopyJobs.map(({ State }: { State: string }) => State))).toEqual(new Set(['COMPLETED']));
    const any = ['--state', 'ANY', '--resource-type', 'ANY', '--message-category', 'ANY'];
    const { CopyJobSummaries } = await aws('backup', 'list-copy-job-summaries', ...any);
    expect(CopyJobSummaries.length).toBeGreaterThan(0);
  });

  it('tells a person what went wrong, and fails', async () => {
    const env = { AWS_SECRET_ACCESS_KEY: 'wrong' };
    const { exitCode, stderr } = await ended('aws', ['backup', 'list-copy-jobs'], env);
    expect(exitCode).toBeGreaterThan(0);
    expect(stderr).toMatch(
      /\((InvalidSignatureException|SignatureDoesNotMatch)\) when calling the ListCopyJobs operation/,
    );
  });
});

interface TruthLine {
  readonly table: string;
  readonly region: string;
  readonly account_id: string;
  readonly record: { readonly CopyJobId: string };
}

/** The CLI's answer. Its shape is AWS's, and what the tests are about. */
async function aws(...args: readonly string[]) {
  const { exitCode, stdout, stderr } = await ended('aws', [...args, '--output', 'json']);
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** One of the Python programs, with the simulator's environment and no other AWS settings. */
function ended(
  program: 'python' | 'aws',
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(AWS_|https?_proxy$)/i.test(name));
  const env = {
    ...Object.fromEntries(inherited),
    ...simulator.env,
    AWS_CONFIG_FILE: join(folder, 'none'),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
    AWS_EC2_METADATA_DISABLED: 'true',
    ...more,
  };
  return new Promise((resolve, reject) => {
    execFile(join(python, program), args, { env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (program === 'python' && error !== null) reject(new Error(stderr, { cause: error }));
      else resolve({ exitCode: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}
