/** What the deploy files must agree with: the program's own options, and the AWS operations it uses. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tableOf } from '../../../src/config/options.ts';
import {
  parseSettings,
  parseTelemetry,
  type Settings,
  type Telemetry,
} from '../../../src/config/settings.ts';

export const root = join(import.meta.dirname, '../../..');

/** Reads a container's arguments, `export --name=value …`, as the program does; throws where it would refuse. */
export function settingsOf(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Settings & Telemetry {
  const [job, ...flags] = args;
  if (job !== 'export') throw new Error(`the job is ${job}, not export`);
  const known = tableOf('export');
  const given = Object.fromEntries(
    flags.map((flag) => {
      const [, name = '', value = ''] = /^--([a-z0-9-]+)=(.+)$/.exec(flag) ?? [];
      const kind = known.get(name)?.kind;
      if (kind === undefined) throw new Error(`${flag} is no option of export`);
      return [name, kind === 'list' ? [value] : value];
    }),
  );
  const readFile = (): string => {
    throw new Error('the container has no configuration file');
  };
  const input = { flags: given, env, cwd: '/', temporaryFolder: '/tmp', readFile };
  return { ...parseSettings(input), ...parseTelemetry('export', input) };
}

/**
 * What an operation asks of IAM. GetCallerIdentity needs nothing:
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html; S3's operations and actions:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
const actionOf: Readonly<Record<string, string | null>> = {
  ListCopyJobs: 'backup:ListCopyJobs',
  ListCopyJobSummaries: 'backup:ListCopyJobSummaries',
  AssumeRole: 'sts:AssumeRole',
  GetCallerIdentity: null,
  ListAccounts: 'organizations:ListAccounts',
  ListAccountsForParent: 'organizations:ListAccountsForParent',
  ListOrganizationalUnitsForParent: 'organizations:ListOrganizationalUnitsForParent',
  ListRoots: 'organizations:ListRoots',
  ListRegions: 'account:ListRegions',
  DescribeRegions: 'ec2:DescribeRegions',
  GetObject: 's3:GetObject',
  HeadObject: 's3:GetObject',
  PutObject: 's3:PutObject',
  CreateMultipartUpload: 's3:PutObject',
  UploadPart: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  GetPublicKey: 'kms:GetPublicKey',
  Sign: 'kms:Sign',
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  HeadBucket: 's3:ListBucket',
  ListObjectsV2: 's3:ListBucket',
};

/** The IAM actions of every AWS operation that the exporter's sources call: not the simulator's, nor catalog's, nor repair's. Sorted. */
export async function actionsUsed(): Promise<string[]> {
  const actions = new Set<string>();
  for (const file of await readdir(join(root, 'src'), { recursive: true })) {
    if (!file.endsWith('.ts') || /^(simulator|catalog|repair)\//.test(file)) continue;
    const source = await readFile(join(root, 'src', file), 'utf8');
    for (const imported of source.matchAll(
      /(?:import|const)\s+\{([^}]*)\}\s+(?:from|=\s*await\s+import\()\s*'@aws-sdk\/(?:client-|lib-storage)[^']*'/g,
    )) {
      for (const name of (imported[1] ?? '').split(',').map((part) => part.trim())) {
        const [, operation] = /^(?:paginate)?(\w+?)(?:Command)?$/.exec(name) ?? [];
        const isOperation = name.startsWith('paginate') || name.endsWith('Command');
        if (!isOperation || operation === undefined) continue;
        const action = actionOf[operation];
        if (action === undefined) throw new Error(`${file} uses ${name}, which no policy here knows`);
        if (action !== null) actions.add(action);
      }
    }
  }
  return [...actions].sort();
}
