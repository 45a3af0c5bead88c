/** The SDK's clients as they talk to a simulator, and whole drains with them. */
import { Readable } from 'node:stream';
import { AccountClient } from '@aws-sdk/client-account';
import {
  type AggregationPeriod,
  BackupClient,
  ListCopyJobSummariesCommand,
  ListCopyJobsCommand,
  type ListCopyJobsCommandInput,
} from '@aws-sdk/client-backup';
import { EC2Client } from '@aws-sdk/client-ec2';
import { OrganizationsClient } from '@aws-sdk/client-organizations';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import type { TruthLine } from '../../src/simulator/truth.ts';

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export function ownKeys(simulator: Simulator): Keys {
  return {
    accessKeyId: simulator.env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: simulator.env.AWS_SECRET_ACCESS_KEY ?? '',
  };
}

function setup(simulator: Simulator, region: string, credentials: Keys) {
  return { endpoint: simulator.endpoint, region, credentials, maxAttempts: 1 };
}

/** Each is made when it is asked for: to make one costs milliseconds. */
export function clientsOf(simulator: Simulator, region = 'us-east-1', keys = ownKeys(simulator)) {
  const settings = setup(simulator, region, keys);
  return {
    get backup() {
      return new BackupClient(settings);
    },
    get sts() {
      return new STSClient(settings);
    },
    get organizations() {
      return new OrganizationsClient(settings);
    },
    get account() {
      return new AccountClient(settings);
    },
    get ec2() {
      return new EC2Client(settings);
    },
  };
}

/** A client with the keys of an account, which are asked for anew: they expire by the simulator's clock. */
async function backupOf(simulator: Simulator, accountId: string, region: string): Promise<BackupClient> {
  return clientsOf(simulator, region, await keysOf(simulator, accountId)).backup;
}

export async function keysOf(simulator: Simulator, accountId: string): Promise<Keys> {
  if (accountId === simulator.organization.management.id) return ownKeys(simulator);
  const { Credentials } = await clientsOf(simulator).sts.send(
    new AssumeRoleCommand({
      RoleArn: `arn:aws:iam::${accountId}:role/${simulator.roleName}`,
      RoleSessionName: 'tests',
    }),
  );
  return {
    accessKeyId: Credentials?.AccessKeyId ?? '',
    secretAccessKey: Credentials?.SecretAccessKey ?? '',
    sessionToken: Credentials?.SessionToken ?? '',
  };
}

/** A record as on the wire; the SDK would drop fields and change types. */
export type WireRecord = Readonly<Record<string, unknown>>;

/** Calls an operation and returns the body that came over the wire. */
async function wireBody(
  client: BackupClient,
  command: ListCopyJobsCommand,
): Promise<{ CopyJobs?: WireRecord[]; CopyJobSummaries?: WireRecord[]; NextToken?: string }> {
  let text = '';
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      // Safe: at this step the response is an HTTP response whose body is a stream that can be read once.
      const response = result.response as { body: AsyncIterable<Buffer> };
      const chunks: Buffer[] = [];
      for await (const chunk of response.body) chunks.push(chunk);
      text = Buffer.concat(chunks).toString();
      Object.assign(response, { body: Readable.from([Buffer.from(text)]) });
      return result;
    },
    { step: 'deserialize', priority: 'low' },
  );
  await client.send(command);
  // Safe: these are the members of both operations' answers.
  return JSON.parse(text) as Awaited<ReturnType<typeof wireBody>>;
}

export async function drainJobs(
  simulator: Simulator,
  accountId: string,
  region: string,
  input: ListCopyJobsCommandInput = {},
): Promise<{ records: WireRecord[]; pages: number }> {
  return await jobsBy(await backupOf(simulator, accountId, region), input);
}

async function jobsBy(
  backup: BackupClient,
  input: ListCopyJobsCommandInput,
): Promise<{ records: WireRecord[]; pages: number }> {
  const records: WireRecord[] = [];
  let pages = 0;
  let NextToken: string | undefined;
  do {
    const command = new ListCopyJobsCommand({ ...input, ...(NextToken ? { NextToken } : {}) });
    const body = await wireBody(backup, command);
    records.push(...(body.CopyJobs ?? []));
    NextToken = body.NextToken;
    pages++;
  } while (NextToken !== undefined);
  return { records, pages };
}

export async function drainSummaries(
  simulator: Simulator,
  accountId: string,
  region: string,
  AggregationPeriod: AggregationPeriod,
  MaxResults = 500,
): Promise<{ records: WireRecord[]; pages: number }> {
  const backup = await backupOf(simulator, accountId, region);
  return await summariesBy(backup, accountId, AggregationPeriod, MaxResults);
}

async function summariesBy(
  backup: BackupClient,
  accountId: string,
  AggregationPeriod: AggregationPeriod,
  MaxResults = 500,
): Promise<{ records: WireRecord[]; pages: number }> {
  const records: WireRecord[] = [];
  let pages = 0;
  let NextToken: string | undefined;
  do {
    const command = new ListCopyJobSummariesCommand({
      AccountId: accountId,
      State: 'ANY',
      ResourceType: 'ANY',
      MessageCategory: 'ANY',
      AggregationPeriod,
      MaxResults,
      ...(NextToken ? { NextToken } : {}),
    });
    // Safe: of a command, only its middleware and that it can be sent are used.
    const body = await wireBody(backup, command as unknown as ListCopyJobsCommand);
    records.push(...(body.CopyJobSummaries ?? []));
    NextToken = body.NextToken;
    pages++;
  } while (NextToken !== undefined);
  return { records, pages };
}

/** Everything that a complete drain of all targets returns now, children of hidden parents included. */
export async function drainAll(simulator: Simulator): Promise<TruthLine[]> {
  const lines: unknown[] = [];
  for (const { id } of simulator.organization.active) {
    for (const region of simulator.regions) {
      const target = { region, account_id: id };
      const backup = await backupOf(simulator, id, region);
      const { records } = await jobsBy(backup, {});
      const known = new Set(records.map((record) => record.CopyJobId));
      const isHidden = !records.some((record) => record.ParentJobId !== undefined);
      for (const parent of isHidden ? records.filter((record) => record.IsParent === true) : []) {
        const ByParentJobId = String(parent.CopyJobId);
        for (const child of (await jobsBy(backup, { ByParentJobId })).records) {
          if (!known.has(child.CopyJobId)) records.push(child);
        }
      }
      for (const record of records) lines.push({ table: 'copy_jobs', ...target, record });
      for (const aggregation_period of ['ONE_DAY', 'SEVEN_DAYS', 'FOURTEEN_DAYS'] as const) {
        for (const record of (await summariesBy(backup, id, aggregation_period)).records) {
          lines.push({ table: 'copy_job_summaries', ...target, aggregation_period, record });
        }
      }
    }
  }
  // Safe: built above in this shape, from what came over the wire.
  return lines as TruthLine[];
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
