import type { AwsCredentialIdentityProvider } from '@smithy/types';

/** One (account, region) pair, with the credentials to read it. */
export interface Target {
  /** Twelve digits. */
  readonly accountId: string;
  readonly region: string;
  /** The account's name in the organization, where known. */
  readonly accountName: string | null;
  /** True when the person asked for this region by name: then a disabled one is a failure. */
  readonly regionNamed: boolean;
  /** AWS lists the region as enabled in this very account: a region that refuses it is not a disabled one. */
  readonly regionListed?: true;
  /**
   * One provider an account, shared by its regions. Rejects with an AssumeRoleError (src/shared/errors.ts)
   * when the role cannot be assumed.
   */
  readonly credentials: AwsCredentialIdentityProvider;
}

/** How a target is named in keys and messages: `111122223333/eu-west-1`. Watermarks are kept under it. */
export function targetName({ accountId, region }: Pick<Target, 'accountId' | 'region'>): string {
  return `${accountId}/${region}`;
}

/** Who runs this, as STS says. */
export interface Caller {
  readonly accountId: string;
  readonly arn: string;
  /** `aws`, `aws-cn`, `aws-us-gov`, …: from the ARN. */
  readonly partition: string;
}
