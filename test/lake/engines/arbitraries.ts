/** Random observations for property tests. */
import fc from 'fast-check';
import { firstSight } from '../../../src/tables/state-history.ts';
import type { Row } from '../../../src/tables/table.ts';

const accounts = ['111111111111', '222222222222', '333333333333'] as const;
const regions = ['eu-west-1', 'us-east-1', 'us-gov-west-1'] as const;
const texts = [null, '', 'a', 'b', '😀', '￰', 'it’s "odd"'] as const;

/** ARNs as they come, and as they should not. */
export const oddArns = fc.oneof(
  fc.constantFrom(
    null,
    '',
    ':',
    'arn',
    'arn:',
    'arn:::::',
    'arn:aws:backup:us-east-1:111111111111',
    'arn:aws:backup:us-east-1:111111111111:backup-vault:prod',
    'arn:aws-cn:backup:cn-north-1:222222222222:backup-vault:中文',
    'arn:aws-us-gov:backup:us-gov-west-1:333333333333:backup-vault:a:b:c',
    'arn:aws:ec2:eu-west-1::snapshot/snap-0a1b2c3d4e5f60718',
    'ARN:aws:backup:us-east-1:111111111111:backup-vault:prod',
    ' arn:aws:backup:us-east-1:111111111111:backup-vault:prod',
    '::::::::::',
  ),
  fc
    .array(fc.constantFrom('arn', 'aws', ':', ':', '', '1', '😀', ' '), { maxLength: 14 })
    .map((parts) => parts.join('')),
);

/** Any row of copy_jobs at all, of ten jobs, with many ties. Only a job's vaults stay the same, if `steady`. */
export function anyCopyJob(steady: boolean): fc.Arbitrary<Row> {
  return fc
    .record({
      job: fc.nat(9),
      arn: oddArns,
      account_id: fc.constantFrom(...accounts, null),
      region: fc.constantFrom(...regions, null),
      queried_account_id: fc.constantFrom(...accounts),
      state: fc.constantFrom(
        null,
        'CREATED',
        'RUNNING',
        'COMPLETED',
        'COMPLETED',
        'FAILED',
        'PARTIAL',
        'NEW😀',
      ),
      status_message: fc.constantFrom(...texts),
      message_category: fc.constantFrom(...texts),
      backup_size_in_bytes: fc.constantFrom(null, 0, -1, 1, 2 ** 53 - 1),
      is_parent: fc.constantFrom(null, true, false),
      completion_time: fc.constantFrom(null, -1, 0, 1_763_600_000_123),
      creation_time: fc.constantFrom(null, 0, 1_763_600_000_000),
      observed_at: fc.integer({ min: 1, max: 5 }),
      run_id: fc.constantFrom('r1', 'r2', 'r3'),
      since: fc.constantFrom(null, 0, 1),
      readBefore: fc.constantFrom(undefined, null, 0, 2),
    })
    .map(({ job, arn, since, readBefore, ...row }) => ({
      ...row,
      ...(readBefore === undefined ? {} : { state_history: firstSight(row, readBefore) }),
      copy_job_id: `job-${job}`,
      source_backup_vault_arn: steady
        ? `arn:aws:backup:${regions[job % 3]}:${accounts[job % 3]}:backup-vault:v`
        : arn,
      destination_backup_vault_arn: arn,
      first_observed_at: since === null ? null : row.observed_at - since,
    }));
}

/** A copy job that lives as AWS's do, and some of the observations that could be made of it. */
export const lifeOfCopyJob: fc.Arbitrary<readonly Row[]> = fc
  .record({
    id: fc.uuid(),
    owner: fc.constantFrom(...accounts),
    other: fc.constantFrom(...accounts),
    from: fc.constantFrom(...regions),
    to: fc.constantFrom(...regions),
    end: fc.constantFrom('COMPLETED', 'FAILED', 'PARTIAL'),
    steps: fc.integer({ min: 0, max: 4 }),
    glances: fc.array(
      fc.record({
        at: fc.integer({ min: 0, max: 59 }),
        fromDestination: fc.boolean(),
        forgets: fc.subarray(['status_message', 'backup_size_in_bytes', 'completion_time', 'resource_name']),
        run: fc.constantFrom('r1', 'r2', 'r3'),
      }),
      { minLength: 1, maxLength: 7 },
    ),
  })
  .map(({ id, owner, other, from, to, end, steps, glances }) =>
    glances.map(({ at, fromDestination, forgets, run }) => {
      const step = Math.floor(at / 10);
      const ended = step >= steps;
      const row: Record<string, Row[string]> = {
        copy_job_id: id,
        account_id: owner,
        source_backup_vault_arn: `arn:aws:backup:${from}:${owner}:backup-vault:v`,
        destination_backup_vault_arn: `arn:aws:backup:${to}:${other}:backup-vault:v`,
        state: ended ? end : step === 0 ? 'CREATED' : 'RUNNING',
        status_message: ended ? 'done' : `step ${step}`,
        resource_name: '😀',
        backup_size_in_bytes: ended ? 1_000 : step % 2,
        completion_time: ended ? steps * 10 : null,
        region: fromDestination ? to : from,
        queried_account_id: fromDestination ? other : owner,
        observed_at: at,
        first_observed_at: at,
        run_id: run,
      };
      if (ended) for (const name of forgets) row[name] = null;
      return row;
    }),
  );

/** Any row of copy_job_summaries, of few slices and keys. */
export const anySummary: fc.Arbitrary<Row> = fc
  .record({
    account_id: fc.constantFrom('1', '2'),
    region: fc.constantFrom('a', 'b'),
    state: fc.constantFrom('RUNNING', 'COMPLETED', null),
    resource_type: fc.constantFrom('EBS', '😀'),
    message_category: fc.constantFrom('SUCCESS', null),
    start_time: fc.constantFrom(0, 3_600_000),
    job_count: fc.integer({ min: 0, max: 2 }),
    observed_at: fc.integer({ min: 1, max: 4 }),
    since: fc.constantFrom(null, 0, 1),
    run_id: fc.constantFrom('r1', 'r2'),
    queried_account_id: fc.constantFrom('1', '2'),
  })
  .map(({ since, ...row }) => ({
    ...row,
    end_time: 86_400_000,
    first_observed_at: since === null ? null : row.observed_at - since,
  }));

/** The same values, shuffled and cut into batches. */
export function batchesOf<T>(values: readonly T[]): fc.Arbitrary<readonly (readonly T[])[]> {
  return fc
    .tuple(
      fc.shuffledSubarray([...values], { minLength: values.length }),
      fc.array(fc.nat(values.length), { maxLength: 5 }),
    )
    .map(([shuffled, cuts]) => {
      const edges = [0, ...cuts.sort((a, b) => a - b), values.length];
      return edges.slice(1).map((edge, at) => shuffled.slice(edges[at], edge));
    });
}
