/** Lists the regions that are enabled in an account. */
import { AccountClient, ListRegionsCommand, type Region } from '@aws-sdk/client-account';
import type { Region as Ec2Region } from '@aws-sdk/client-ec2';
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Aws } from '../aws/aws.ts';
import { awsFailure } from '../aws/failure.ts';
import { signedBy } from '../aws/signing-clock.ts';
import { AccessError, ReportedError } from '../shared/errors.ts';
import { canSucceedLater, discoveryError } from './discovery-error.ts';
import { everyPage } from './every-page.ts';

const what = 'The regions enabled in the account could not be listed';
const advice = 'Allow account:ListRegions or ec2:DescribeRegions, or name the regions with --regions';

/**
 * Names of the enabled regions, ascending. Calls `account:ListRegions`, and if that is denied or missing (in some
 * partitions), `ec2:DescribeRegions`.
 * @param abortSignal cancels the request in flight
 * @throws AccessError when both are denied, UnavailableError when neither can be reached
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
    // If one of the two can succeed later, report that one.
    throw discoveryError(canSucceedLater(awsFailure(first)) ? first : error, what, advice);
  }
}

function sorted(regions: readonly string[]): string[] {
  if (regions.length === 0) throw new AccessError(`${what}: AWS returned an empty list`, advice);
  return [...new Set(regions)].sort();
}

async function fromAccount(
  aws: Aws,
  region: string,
  credentials: AwsCredentialIdentityProvider,
  abortSignal: AbortSignal,
): Promise<string[]> {
  const client = aws.retrying(
    signedBy(aws.clock, new AccountClient(aws.clientDefaults(region, credentials))),
    abortSignal,
  );
  const regions = await everyPage<Region>({
    what,
    service: 'AWS Account Management',
    otherwise: 'name the regions with --regions',
    nameOf: ({ RegionName }) => RegionName,
    page: async (token) => {
      const page = await client.send(
        new ListRegionsCommand({
          MaxResults: 50,
          RegionOptStatusContains: ['ENABLED', 'ENABLED_BY_DEFAULT'],
          ...(token === null ? {} : { NextToken: token }),
        }),
        { abortSignal },
      );
      return { items: page.Regions, next: page.NextToken };
    },
  });
  return regions.flatMap(({ RegionName, RegionOptStatus }) =>
    RegionName && (RegionOptStatus === 'ENABLED' || RegionOptStatus === 'ENABLED_BY_DEFAULT')
      ? [RegionName]
      : [],
  );
}

async function fromEc2(
  aws: Aws,
  region: string,
  credentials: AwsCredentialIdentityProvider,
  abortSignal: AbortSignal,
): Promise<string[]> {
  // By far the largest of the clients, and seldom needed: a run would take 0.3 s of CPU to load it.
  const { DescribeRegionsCommand, EC2Client } = await import('@aws-sdk/client-ec2');
  const client = aws.retrying(
    signedBy(aws.clock, new EC2Client(aws.clientDefaults(region, credentials))),
    abortSignal,
  );
  const regions = await everyPage<Ec2Region>({
    what,
    service: 'Amazon EC2',
    otherwise: 'name the regions with --regions',
    nameOf: ({ RegionName }) => RegionName,
    page: async () => {
      const { Regions } = await client.send(new DescribeRegionsCommand({ AllRegions: false }), {
        abortSignal,
      });
      return { items: Regions, next: null };
    },
  });
  return regions.flatMap(({ RegionName, OptInStatus }) =>
    RegionName && (OptInStatus === 'opt-in-not-required' || OptInStatus === 'opted-in') ? [RegionName] : [],
  );
}
