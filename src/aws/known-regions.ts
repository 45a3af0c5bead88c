/** The regions that this version knows. The simulator's `--regions N` uses the first N. */

export interface Region {
  readonly name: string;
  /** Opt-in regions can be disabled; the others are enabled by default. */
  readonly optIn: boolean;
}

/** Names and opt-in status: https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html */
export const knownRegions: readonly Region[] = [
  { name: 'us-east-1', optIn: false },
  { name: 'eu-west-1', optIn: false },
  { name: 'us-west-2', optIn: false },
  { name: 'af-south-1', optIn: true },
  { name: 'eu-central-1', optIn: false },
  { name: 'ap-southeast-2', optIn: false },
  { name: 'ap-northeast-1', optIn: false },
  { name: 'us-east-2', optIn: false },
  { name: 'eu-west-2', optIn: false },
  { name: 'sa-east-1', optIn: false },
  { name: 'ap-south-1', optIn: false },
  { name: 'ca-central-1', optIn: false },
  { name: 'eu-north-1', optIn: false },
  { name: 'ap-southeast-1', optIn: false },
  { name: 'ap-northeast-2', optIn: false },
  { name: 'eu-west-3', optIn: false },
  { name: 'us-west-1', optIn: false },
  { name: 'ap-northeast-3', optIn: false },
  { name: 'eu-south-1', optIn: true },
  { name: 'eu-central-2', optIn: true },
  { name: 'me-south-1', optIn: true },
  { name: 'me-central-1', optIn: true },
  { name: 'il-central-1', optIn: true },
  { name: 'ap-east-1', optIn: true },
  { name: 'ap-south-2', optIn: true },
  { name: 'ap-southeast-3', optIn: true },
  { name: 'ap-southeast-4', optIn: true },
  { name: 'ca-west-1', optIn: true },
  { name: 'eu-south-2', optIn: true },
  { name: 'ap-southeast-5', optIn: true },
  { name: 'ap-southeast-7', optIn: true },
  { name: 'mx-central-1', optIn: true },
  { name: 'ap-east-2', optIn: true },
  { name: 'ap-southeast-6', optIn: true },
];
