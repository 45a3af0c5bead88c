import type { AwsCredentialIdentityProvider } from '@smithy/types';

/** One (account, region) pair, with the credentials to read it. */
export interface Target {
  /** Twelve digits. */
  readonly accountId: string;
  readonly region: string;
  /** The account's name in the organization, if known. */
  readonly accountName: string | null;
  /** True if `--regions` names this region. Then it is a failure if the region is disabled. */
  readonly regionNamed: boolean;
  /** AWS lists the region as enabled in this very account: a region that refuses it is not a disabled one. */
  readonly regionListed?: true;
  /**
   * One provider per account, shared by its regions. Rejects with an AssumeRoleError (src/shared/errors.ts) when the
   * role cannot be assumed.
   */
  readonly credentials: AwsCredentialIdentityProvider;
}

/** The target's name in keys and messages: `111122223333/eu-west-1`. Watermarks use it. */
export function targetName({ accountId, region }: Pick<Target, 'accountId' | 'region'>): string {
  return `${accountId}/${region}`;
}

/** Who runs the program, according to STS. */
export interface Caller {
  readonly accountId: string;
  readonly arn: string;
  /** `aws`, `aws-cn`, `aws-us-gov`, …: from the ARN. */
  readonly partition: string;
}
