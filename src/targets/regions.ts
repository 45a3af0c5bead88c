/**
 * The regions that are enabled in an account.
 */
import { AccountClient, ListRegionsCommand } from '@aws-sdk/client-account';
import { DescribeRegionsCommand, EC2Client } from '@aws-sdk/client-ec2';
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Aws } from '../aws/aws.ts';
import { awsFailure } from '../aws/failure.ts';
import { AccessError, ReportedError, UnavailableError } from '../errors.ts';
import { discoveryError, heals } from './discovery-error.ts';

const what = 'The regions enabled in the account could not be listed';
const advice = 'Allow account:ListRegions or ec2:DescribeRegions, or name the regions with --regions';

/**
 * Names of the enabled regions, ascending. Asks `account:ListRegions`, and where that is refused or not there
 * (some partitions), `ec2:DescribeRegions`.
 * @param abortSignal gives up the request that is on its way
 * @throws AccessError when neither may be asked, UnavailableError when neither can
 */
export async function enabledRegions(
  aws: Aws,
  region: string,
  credentials: AwsCredentialIdentityProvider,
  abortSignal: AbortSignal,
): Promise<string[]> {
  let first: unknown;
  try {
    return sorted(await fromAccount(aws, region, credentials, abortSignal));
  } catch (error) {
    if (error instanceof ReportedError) throw error;
    abortSignal.throwIfAborted();
    first = error;
  }
  try {
    return sorted(await fromEc2(aws, region, credentials, abortSignal));
  } catch (error) {
    if (error instanceof ReportedError) throw error;
    // Where either can be had later, that is what to wait for.
    throw discoveryError(heals(awsFailure(first)) ? first : error, what, advice);
  }
}

function sorted(regions: readonly string[]): string[] {
  if (regions.length === 0) throw new AccessError(`${what}: AWS named none`, advice);
  return [...new Set(regions)].sort();
}

async function fromAccount(
  aws: Aws,
  region: string,
  credentials: AwsCredentialIdentityProvider,
  abortSignal: AbortSignal,
): Promise<string[]> {
  const client = new AccountClient(aws.clientDefaults(region, credentials));
  const names: string[] = [];
  const tokens = new Set<string>();
  let token: string | undefined;
  do {
    const page = await client.send(
      new ListRegionsCommand({
        MaxResults: 50,
        RegionOptStatusContains: ['ENABLED', 'ENABLED_BY_DEFAULT'],
        ...(token === undefined ? {} : { NextToken: token }),
      }),
      { abortSignal },
    );
    for (const { RegionName, RegionOptStatus } of page.Regions ?? []) {
      const enabled = RegionOptStatus === 'ENABLED' || RegionOptStatus === 'ENABLED_BY_DEFAULT';
      if (RegionName && enabled) names.push(RegionName);
    }
    token = page.NextToken || undefined;
    if (token !== undefined && tokens.has(token)) {
      throw new UnavailableError(
        `${what}: AWS gave the same page token twice`,
        'Run again; if it stays so, name the regions with --regions',
      );
    }
    if (token !== undefined) tokens.add(token);
  } while (token !== undefined);
  return names;
}

async function fromEc2(
  aws: Aws,
  region: string,
  credentials: AwsCredentialIdentityProvider,
  abortSignal: AbortSignal,
): Promise<string[]> {
  const client = new EC2Client(aws.clientDefaults(region, credentials));
  const { Regions = [] } = await client.send(new DescribeRegionsCommand({ AllRegions: false }), {
    abortSignal,
  });
  return Regions.flatMap(({ RegionName, OptInStatus }) =>
    RegionName && (OptInStatus === 'opt-in-not-required' || OptInStatus === 'opted-in') ? [RegionName] : [],
  );
}
