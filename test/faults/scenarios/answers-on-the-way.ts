/** Something on the way answers for AWS: pages of gateways, redirects, caches; and answers that come damaged. */
import type { Deed, Hurt } from '../hurts.ts';
import type { Scenario } from '../scenario.ts';
import { page } from './answers.ts';

const kind = 'answers that are not AWS’s';
const inFront = { kind, cause: 'way', lake: 'local', way: 'endpoint' } as const;
const inFrontOfS3 = { ...inFront, lake: 's3' } as const;
const redirect = page(302, { location: 'https://login.gateway.example/' });

/** One API is answered by something else for the whole night. */
function always(
  name: string,
  target: Pick<Hurt, 'service' | 'api' | 'region'>,
  deed: Deed,
  codes: readonly number[],
  quick = false,
): Scenario {
  return {
    ...(target.service === 's3' ? inFrontOfS3 : inFront),
    name,
    quick,
    nights: () => [{ codes, deadlineSeconds: 25, hurts: [{ ...target, deed }] }],
  };
}

/** And once: a second question gets AWS's answer. */
function passing(
  name: string,
  target: Pick<Hurt, 'service' | 'api' | 'region' | 'key'>,
  deed: Deed,
): Scenario {
  return {
    ...(target.service === 's3' ? inFrontOfS3 : inFront),
    name,
    nights: () => [{ codes: [0], hurts: [{ ...target, count: 1, deed }] }],
  };
}

const instead = (answer = page(403)): Deed => ({ kind: 'answer', answer });

export const answersOnTheWay: readonly Scenario[] = [
  always('page-200-for-sts', { service: 'sts' }, instead(page(200)), [69, 75]),
  always('page-403-for-sts', { service: 'sts' }, instead(page(403)), [69, 75]),
  always('redirect-for-sts', { service: 'sts' }, instead(redirect), [69, 75]),
  always('page-403-for-organizations', { api: 'ListAccounts' }, instead(page(403)), [69, 75], true),
  always('redirect-for-organizations', { api: 'ListAccounts' }, instead(redirect), [69, 75]),
  always('page-200-for-organizations', { api: 'ListAccounts' }, instead(page(200)), [69, 75]),
  // Amazon EC2 knows the regions, too.
  always('page-403-for-regions', { api: 'ListRegions' }, instead(page(403)), [0, 75]),
  always('page-200-for-regions', { api: 'ListRegions' }, instead(page(200)), [0, 75]),
  always('page-403-for-assume-role', { api: 'AssumeRole' }, instead(page(403)), [75]),
  always('page-200-for-assume-role', { api: 'AssumeRole' }, instead(page(200)), [75]),
  always('page-403-for-one-region', { service: 'backup', region: 'eu-west-1' }, instead(page(403)), [75]),
  always('page-200-for-one-region', { service: 'backup', region: 'eu-west-1' }, instead(page(200)), [75]),
  always('redirect-for-one-region', { service: 'backup', region: 'eu-west-1' }, instead(redirect), [75]),
  always('page-404-for-one-region', { service: 'backup', region: 'eu-west-1' }, instead(page(404)), [75]),
  always('page-400-for-one-region', { service: 'backup', region: 'eu-west-1' }, instead(page(400)), [75]),
  always('page-403-for-s3', { service: 's3' }, instead(page(403)), [74, 75], true),
  always('page-200-for-s3', { service: 's3' }, instead(page(200)), [74, 75]),
  always('redirect-for-s3', { service: 's3' }, instead(redirect), [74, 75]),
  always('page-403-for-reads-of-s3', { service: 's3', api: 'GetObject' }, instead(page(403)), [74, 75]),
  always('page-403-for-writes-to-s3', { service: 's3', api: 'PutObject' }, instead(page(403)), [74, 75]),
  passing('one-page-403-for-sts', { service: 'sts' }, instead()),
  passing('one-page-403-for-organizations', { api: 'ListAccounts' }, instead()),
  passing('one-page-403-for-assume-role', { api: 'AssumeRole' }, instead()),
  passing('one-page-200-for-backup', { api: 'ListCopyJobs' }, instead(page(200))),
  passing('one-redirect-for-backup', { api: 'ListCopyJobSummaries' }, instead(redirect)),
  passing('one-page-403-for-lake-json', { service: 's3', key: /lake\.json$/ }, instead()),
  passing('one-page-200-for-lake-json', { service: 's3', key: /lake\.json$/ }, instead(page(200))),
  passing('one-page-404-for-lake-json', { service: 's3', key: /lake\.json$/ }, instead(page(404))),
  passing(
    'one-page-200-for-a-part',
    { service: 's3', api: 'GetObject', key: /part-\d+\.parquet$/ },
    instead(page(200)),
  ),
  passing(
    'one-page-404-for-a-part',
    { service: 's3', api: 'GetObject', key: /part-\d+\.parquet$/ },
    instead(page(404)),
  ),
  passing(
    'one-page-200-for-a-write-to-s3',
    { service: 's3', api: 'PutObject', key: /part-\d+\.parquet$/ },
    instead(page(200)),
  ),
  passing('one-page-200-for-watermarks', { service: 's3', key: /watermarks/ }, instead(page(200))),
  {
    ...inFront,
    name: 'cache-answers-with-the-night-before',
    quick: true,
    ownFirstRun: true,
    nights: () => [{ codes: [0, 75], hurts: [{ service: 'backup', count: 4, deed: { kind: 'stale' } }] }],
  },
  {
    ...inFront,
    name: 'cache-answers-with-the-night-before-all-night',
    ownFirstRun: true,
    nights: () => [
      { codes: [69, 75], deadlineSeconds: 30, hurts: [{ service: 'backup', deed: { kind: 'stale' } }] },
    ],
  },
  {
    ...inFront,
    name: 'cache-repeats-pages',
    simulator: { accounts: 2, regions: 1, jobsPerDay: 450, days: 5 },
    nights: () => [
      {
        codes: [0, 75],
        run: { flags: { since: 'all' } },
        hurts: [{ api: 'ListCopyJobs', after: 2, probability: 0.4, deed: { kind: 'stale' } }],
      },
    ],
  },
  {
    ...inFront,
    name: 'bodies-break-off',
    quick: true,
    nights: (draws) => [
      { codes: [0], hurts: [{ probability: 0.25, deed: { kind: 'cut', bytes: draws.below(300) } }] },
    ],
  },
  {
    ...inFrontOfS3,
    name: 'bodies-of-s3-break-off',
    nights: (draws) => [
      {
        codes: [0],
        run: { flags: { since: 'all' } },
        hurts: [{ service: 's3', probability: 0.2, deed: { kind: 'cut', bytes: draws.below(4000) } }],
      },
    ],
  },
  {
    ...inFront,
    name: 'bodies-come-slowly',
    nights: () => [{ codes: [0], hurts: [{ service: 'backup', deed: { kind: 'drip', ms: 1500 } }] }],
  },
  {
    ...inFront,
    name: 'a-body-stops-coming',
    nights: () => [
      {
        codes: [0, 75],
        run: { flags: { 'target-timeout': '8s' } },
        hurts: [{ api: 'ListCopyJobs', count: 1, deed: { kind: 'stall', bytes: 200 } }],
      },
    ],
  },
  {
    ...inFront,
    name: 'a-region-never-answers',
    nights: () => [
      {
        codes: [75],
        statuses: { some: ['OK', 'TIMED_OUT'] },
        run: { flags: { 'target-timeout': '5s' } },
        hurts: [{ service: 'backup', region: 'eu-west-1', deed: { kind: 'hang' } }],
      },
    ],
  },
  {
    ...inFront,
    name: 'sts-never-answers',
    nights: () => [
      { codes: [69, 75], deadlineSeconds: 10, hurts: [{ service: 'sts', deed: { kind: 'hang' } }] },
    ],
  },
  {
    ...inFrontOfS3,
    name: 's3-never-answers-in-mid-run',
    nights: () => [
      {
        codes: [74, 75],
        deadlineSeconds: 12,
        run: { flags: { since: 'all' } },
        hurts: [{ service: 's3', key: /parquet$/, deed: { kind: 'hang' } }],
      },
    ],
  },
  {
    ...inFront,
    name: 'answers-out-of-order',
    nights: (draws) => [
      {
        codes: [0],
        hurts: [
          { service: 'backup', probability: 0.5, deed: { kind: 'delay', ms: 200 + draws.below(800) } },
          { service: 'sts', probability: 0.5, deed: { kind: 'delay', ms: 200 + draws.below(800) } },
        ],
      },
    ],
  },
  {
    ...inFront,
    name: 'garbage-for-a-tenth-of-requests',
    // One at any rate, whatever the seed draws for the others.
    nights: () => [
      {
        codes: [0],
        hurts: [
          { probability: 0.1, deed: { kind: 'garbage' } },
          { service: 'backup', after: 2, count: 1, deed: { kind: 'garbage' } },
        ],
      },
    ],
  },
];
