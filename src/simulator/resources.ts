/** The resources that are copied, with ARNs for them and their recovery points. */
import type { Random } from './random.ts';

export interface Resource {
  readonly type: string;
  readonly arn: string;
  readonly name: string | null;
  /** Bytes of a typical copy. */
  readonly size: number;
  /** The ARN of a recovery point of this resource in an account and region. */
  readonly recoveryPoint: (random: Random, region: string, accountId: string) => string;
}

interface Kind {
  readonly type: string;
  /** Frequency relative to the other kinds. */
  readonly weight: number;
  /** The largest usual size, as a power of ten. */
  readonly magnitude: number;
  readonly arn: (random: Random, region: string, accountId: string, slug: string) => string;
  readonly recoveryPoint: Resource['recoveryPoint'];
}

const inVault: Kind['recoveryPoint'] = (random, region, accountId) =>
  `arn:aws:backup:${region}:${accountId}:recovery-point:${random.uuid()}`;

/** Shapes: https://docs.aws.amazon.com/aws-backup/latest/devguide/access-control.html; EC2's carry no account. */
const kinds: readonly Kind[] = [
  {
    type: 'EBS',
    weight: 30,
    magnitude: 13,
    arn: (random, region, accountId) => `arn:aws:ec2:${region}:${accountId}:volume/vol-0${random.hex(16)}`,
    recoveryPoint: (random, region) => `arn:aws:ec2:${region}::snapshot/snap-0${random.hex(16)}`,
  },
  {
    type: 'EC2',
    weight: 15,
    magnitude: 13,
    arn: (random, region, accountId) => `arn:aws:ec2:${region}:${accountId}:instance/i-0${random.hex(16)}`,
    recoveryPoint: (random, region) => `arn:aws:ec2:${region}::image/ami-0${random.hex(16)}`,
  },
  {
    type: 'RDS',
    weight: 14,
    magnitude: 13,
    arn: (_, region, accountId, slug) => `arn:aws:rds:${region}:${accountId}:db:${slug}`,
    recoveryPoint: (random, region, accountId) =>
      `arn:aws:rds:${region}:${accountId}:snapshot:awsbackup:copyjob-${random.uuid()}`,
  },
  {
    type: 'Aurora',
    weight: 8,
    magnitude: 14,
    arn: (random, region, accountId) =>
      `arn:aws:rds:${region}:${accountId}:cluster:cluster-${random.hex(28)}`,
    recoveryPoint: (random, region, accountId) =>
      `arn:aws:rds:${region}:${accountId}:cluster-snapshot:awsbackup:copyjob-${random.uuid()}`,
  },
  {
    type: 'DynamoDB',
    weight: 10,
    magnitude: 12,
    arn: (_, region, accountId, slug) => `arn:aws:dynamodb:${region}:${accountId}:table/${slug}`,
    recoveryPoint: inVault,
  },
  {
    type: 'EFS',
    weight: 8,
    magnitude: 14,
    arn: (random, region, accountId) =>
      `arn:aws:elasticfilesystem:${region}:${accountId}:file-system/fs-0${random.hex(16)}`,
    recoveryPoint: inVault,
  },
  {
    type: 'S3',
    weight: 8,
    magnitude: 15,
    arn: (random, _region, _accountId, slug) => `arn:aws:s3:::${slug}-${random.hex(8)}`,
    recoveryPoint: inVault,
  },
  {
    type: 'FSx',
    weight: 3,
    magnitude: 14,
    arn: (random, region, accountId) =>
      `arn:aws:fsx:${region}:${accountId}:file-system/fs-0${random.hex(16)}`,
    recoveryPoint: (random, region, accountId) =>
      `arn:aws:fsx:${region}:${accountId}:backup/backup-0${random.hex(16)}`,
  },
  {
    type: 'VirtualMachine',
    weight: 2,
    magnitude: 12,
    arn: (random, region, accountId) =>
      `arn:aws:backup-gateway:${region}:${accountId}:vm/vm-${random.hex(16).toUpperCase()}`,
    recoveryPoint: inVault,
  },
  {
    type: 'Neptune',
    weight: 1,
    magnitude: 12,
    arn: (_, region, accountId, slug) => `arn:aws:rds:${region}:${accountId}:cluster:${slug}`,
    recoveryPoint: (random, region, accountId) =>
      `arn:aws:rds:${region}:${accountId}:cluster-snapshot:awsbackup:copyjob-${random.uuid()}`,
  },
  {
    type: 'StorageGateway',
    weight: 1,
    magnitude: 12,
    arn: (random, region, accountId) =>
      `arn:aws:storagegateway:${region}:${accountId}:gateway/sgw-${random.hex(8).toUpperCase()}/volume/vol-${random.hex(16).toUpperCase()}`,
    recoveryPoint: (random, region) => `arn:aws:ec2:${region}::snapshot/snap-0${random.hex(16)}`,
  },
];

/** Composites. Their copy jobs are parent jobs. */
const composites: readonly Kind[] = [
  {
    type: 'CloudFormation',
    weight: 1,
    magnitude: 14,
    arn: (random, region, accountId, slug) =>
      `arn:aws:cloudformation:${region}:${accountId}:stack/${slug}/${random.uuid()}`,
    recoveryPoint: inVault,
  },
  {
    type: 'EKS',
    weight: 1,
    magnitude: 13,
    arn: (_, region, accountId, slug) => `arn:aws:eks:${region}:${accountId}:cluster/${slug}`,
    recoveryPoint: inVault,
  },
];

const slugs = [
  'orders',
  'ledger',
  'web-01',
  'media-store',
  'audit-log',
  'users',
  'erp',
  'wiki',
  'build-cache',
];
const names = [
  'orders-prod',
  'Ledger (primary)',
  'データベース-本番',
  'résumé “archive” №7',
  'media 🎞️ store',
  'Ελληνικά-backup',
  '𝒜rchive 𝟚',
  'web\\01\t"quoted"',
  'nightly, all <volumes> & more',
];

/** @param composite whether its copy jobs are parent jobs */
export function makeResource(
  random: Random,
  region: string,
  accountId: string,
  composite: boolean,
): Resource {
  const kind = weighted(random, composite ? composites : kinds);
  const slug = `${random.pick(slugs)}-${random.hex(4)}`;
  const shape = random.fraction();
  return {
    type: kind.type,
    arn: kind.arn(random, region, accountId, slug),
    name: shape < 0.25 ? random.pick(names) : shape < 0.85 ? slug : null,
    size: Math.floor(10 ** (3 + random.fraction() * (kind.magnitude - 3))),
    recoveryPoint: kind.recoveryPoint,
  };
}

function weighted(random: Random, list: readonly Kind[]): Kind {
  let left = random.fraction() * list.reduce((sum, kind) => sum + kind.weight, 0);
  for (const kind of list) {
    left -= kind.weight;
    if (left < 0) return kind;
  }
  return random.pick(list);
}
