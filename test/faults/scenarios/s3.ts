/** S3 and stores like it: slow-downs, lost answers, conflicts, policies, archives. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deed, Hurt } from '../hurts.ts';
import type { Night, Scenario } from '../scenario.ts';
import { s3Refusal } from './answers.ts';

const kind = 'S3';
const store = { kind, cause: 'aws', lake: 's3', way: 'endpoint' } as const;
const everything = { flags: { since: 'all' } } as const;
const busy = s3Refusal(503, 'SlowDown', 'Please reduce your request rate.');

function trouble(
  name: string,
  hurt: Omit<Hurt, 'service'>,
  more: Partial<Night> = {},
  quick = false,
): Scenario {
  return {
    ...store,
    name,
    quick,
    nights: () => [{ codes: [0], run: everything, hurts: [{ service: 's3', ...hurt }], ...more }],
  };
}

const answer = (status: number, code: string, message = `because ${code}`): Deed => ({
  kind: 'answer',
  answer: s3Refusal(status, code, message),
});

/** The message of a bucket with a default retention: docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html. */
const needsChecksum: Deed = {
  kind: 'demand',
  header: /^(content-md5|x-amz-checksum-\w+|x-amz-trailer): /,
  answer: s3Refusal(
    400,
    'InvalidRequest',
    'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
  ),
};

export const s3: readonly Scenario[] = [
  trouble('s3-slows-down', { probability: 0.3, deed: { kind: 'answer', answer: busy } }, {}, true),
  trouble(
    's3-slows-down-all-night',
    { key: /parquet$/, deed: { kind: 'answer', answer: busy } },
    { codes: [74, 75], deadlineSeconds: 20, says: [/SlowDown/] },
  ),
  trouble(
    'answers-of-writes-are-lost',
    { api: 'PutObject', probability: 0.4, deed: { kind: 'lose' } },
    {},
    true,
  ),
  trouble('answers-of-reads-are-lost', { api: 'GetObject', probability: 0.3, deed: { kind: 'lose' } }),
  trouble('writes-conflict-409', {
    api: 'PutObject',
    key: /parquet$/,
    probability: 0.4,
    deed: answer(409, 'ConditionalRequestConflict'),
  }),
  trouble('writes-fail-their-condition-412', {
    api: 'PutObject',
    key: /parquet$/,
    probability: 0.3,
    deed: answer(412, 'PreconditionFailed'),
  }),
  trouble('writes-find-nothing-404', {
    api: 'PutObject',
    key: /part-\d+\.parquet$/,
    count: 2,
    deed: answer(404, 'NoSuchKey'),
  }),
  trouble('s3-fails-inside', { probability: 0.2, deed: answer(500, 'InternalError') }),
  trouble('connections-to-s3-are-reset', { probability: 0.2, deed: { kind: 'reset' } }),
  trouble('s3-times-requests-out', { api: 'PutObject', count: 3, deed: answer(400, 'RequestTimeout') }),
  trouble('the-first-look-at-the-bucket-fails', { api: 'HeadBucket', count: 1, deed: { kind: 'reset' } }),
  trouble('listing-is-cut', { api: 'ListObjectsV2', count: 2, deed: { kind: 'cut', bytes: 120 } }),
  {
    ...store,
    name: 'a-part-is-archived',
    cause: 'lake',
    nights: () => [
      {
        codes: [74],
        run: everything,
        says: [/archiv|restor/i],
        hurts: [
          {
            service: 's3',
            api: 'GetObject',
            key: /part-00000\.parquet$/,
            deed: answer(
              403,
              'InvalidObjectState',
              "The operation is not valid for the object's storage class",
            ),
          },
        ],
      },
    ],
  },
  {
    ...store,
    name: 'a-bucket-with-retention-wants-checksums',
    quick: true,
    nights: () => [
      {
        codes: [0],
        run: everything,
        hurts: [{ service: 's3', api: 'PutObject', deed: needsChecksum }],
      },
    ],
  },
  {
    ...store,
    name: 'the-endpoint-of-s3-stands-in-the-profile',
    nights: () => [
      {
        before: ({ folder, proxy }) =>
          writeFile(
            join(folder, 'aws-config'),
            `[default]\nregion = us-east-1\nservices = here\n\n[services here]\ns3 =\n  endpoint_url = http://localhost:${proxy.port}\n`,
          ),
        codes: [0],
        run: ({ folder }) => ({
          env: { AWS_ENDPOINT_URL_S3: null, AWS_CONFIG_FILE: join(folder, 'aws-config') },
        }),
      },
    ],
  },
  {
    ...store,
    name: 'only-the-default-region-is-set',
    nights: () => [{ codes: [0], run: { env: { AWS_REGION: null, AWS_DEFAULT_REGION: 'us-east-1' } } }],
  },
  {
    ...store,
    name: 's3-denies-writes',
    cause: 'person',
    nights: () => [
      {
        codes: [74],
        says: [/s3:PutObject/],
        hurts: [{ service: 's3', api: 'PutObject', deed: answer(403, 'AccessDenied', 'Access Denied') }],
      },
    ],
  },
  {
    ...store,
    name: 's3-denies-reads',
    cause: 'person',
    nights: () => [
      {
        codes: [74],
        says: [/s3:GetObject|s3:ListBucket/],
        hurts: [{ service: 's3', api: 'GetObject', deed: answer(403, 'AccessDenied', 'Access Denied') }],
      },
    ],
  },
  {
    ...store,
    name: 'the-bucket-is-not-there',
    cause: 'person',
    nights: () => [
      { codes: [74], says: [/bucket/i], run: { flags: { lake: 's3://no-such-bucket-here/lake' } } },
    ],
  },
  {
    ...store,
    name: 'the-key-is-disabled',
    cause: 'person',
    nights: () => [
      {
        codes: [74],
        says: [/kms|key/i],
        run: { flags: { 'kms-key-id': 'alias/lake', since: 'all' } },
        hurts: [
          {
            service: 's3',
            api: 'PutObject',
            deed: answer(
              400,
              'KMS.DisabledException',
              'arn:aws:kms:us-east-1:111122223333:key/1234 is disabled.',
            ),
          },
        ],
      },
    ],
  },
];
