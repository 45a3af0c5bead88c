/** AWS itself: throttling, passing refusals, odd pages; and refusals that a person has to heal. */
import type { Scenario } from '../scenario.ts';
import type { World } from '../world.ts';
import { jsonRefusal, stsRefusal } from './answers.ts';

const kind = 'AWS';
const odd = { kind, cause: 'aws', lake: 'local', way: 'endpoint' } as const;
const refused = { kind: 'refusals for a person', cause: 'person', lake: 'local', way: 'endpoint' } as const;

const throttled = jsonRefusal(400, 'ThrottlingException', 'Rate exceeded');

/** Changes the accounts of the pages of ListAccounts. */
function accounts(change: (page: Record<string, unknown>) => Record<string, unknown>) {
  return (body: string): string => JSON.stringify(change({ ...Object(JSON.parse(body)) }));
}

const member = ({ simulator }: World): string => simulator.organization.active[1]?.id ?? '';

/** A web identity whose token stands in a file: its role is a member's own reader. */
const webIdentity = ({ simulator, webIdentityToken }: World) => ({
  flags: { accounts: 'self', regions: simulator.regions.join(',') },
  env: {
    AWS_ACCESS_KEY_ID: null,
    AWS_SECRET_ACCESS_KEY: null,
    AWS_WEB_IDENTITY_TOKEN_FILE: webIdentityToken,
    AWS_ROLE_ARN: `arn:aws:iam::${simulator.organization.active[1]?.id}:role/${simulator.roleName}`,
  },
});

export const aws: readonly Scenario[] = [
  {
    ...odd,
    name: 'throttling-storm',
    quick: true,
    nights: () => [
      {
        codes: [0, 75],
        hurts: [{ service: 'backup', probability: 0.5, deed: { kind: 'answer', answer: throttled } }],
      },
    ],
  },
  {
    ...odd,
    name: 'throttled-without-end',
    nights: () => [
      {
        codes: [75],
        statuses: { some: ['THROTTLED', 'OK'] },
        run: { flags: { 'target-timeout': '5s' } },
        hurts: [{ service: 'backup', region: 'eu-west-1', deed: { kind: 'answer', answer: throttled } }],
      },
    ],
  },
  {
    ...odd,
    name: 'sts-throttles-roles',
    nights: () => [
      {
        codes: [0, 75],
        hurts: [
          {
            api: 'AssumeRole',
            probability: 0.5,
            deed: { kind: 'answer', answer: stsRefusal(400, 'Throttling', 'Rate exceeded') },
          },
        ],
      },
    ],
  },
  {
    ...odd,
    name: 'sts-is-unavailable-for-three-calls',
    nights: () => [
      {
        codes: [0],
        hurts: [
          {
            service: 'sts',
            count: 3,
            deed: { kind: 'answer', answer: stsRefusal(503, 'ServiceUnavailable', 'Try again') },
          },
        ],
      },
    ],
  },
  {
    ...odd,
    name: 'backup-is-unavailable-all-night',
    nights: () => [
      {
        codes: [69],
        statuses: { none: ['OK', 'OK_EMPTY'] },
        run: { flags: { 'target-timeout': '5s' } },
        hurts: [
          {
            service: 'backup',
            deed: { kind: 'answer', answer: jsonRefusal(503, 'ServiceUnavailableException', 'Try again') },
          },
        ],
      },
    ],
  },
  {
    ...odd,
    name: 'credentials-expire-in-mid-run',
    nights: () => [{ codes: [0], faults: [{ kind: 'expired-credentials', api: 'ListCopyJobs', count: 2 }] }],
  },
  {
    ...odd,
    name: 'a-token-repeats',
    nights: () => [
      {
        codes: [75],
        faults: [{ kind: 'repeat-token', api: 'ListCopyJobs', region: 'eu-west-1' }],
        run: { flags: { 'target-timeout': '10s' } },
      },
    ],
  },
  {
    ...odd,
    name: 'tokens-go-in-a-circle',
    nights: () => [
      {
        codes: [75],
        faults: [{ kind: 'token-cycle', api: 'ListCopyJobs', region: 'eu-west-1' }],
        run: { flags: { 'target-timeout': '10s' } },
      },
    ],
  },
  {
    ...odd,
    name: 'a-token-expires',
    simulator: { accounts: 2, regions: 1, jobsPerDay: 450, days: 5 },
    nights: () => [
      {
        codes: [0, 75],
        run: { flags: { since: 'all' } },
        faults: [{ kind: 'expire-token', api: 'ListCopyJobs', count: 1 }],
      },
    ],
  },
  {
    ...odd,
    name: 'empty-pages-with-tokens',
    nights: () => [{ codes: [0], faults: [{ kind: 'empty-page-with-token' }] }],
  },
  {
    ...odd,
    name: 'a-record-cannot-be-read',
    nights: () => [
      {
        codes: [65],
        statuses: { some: ['REJECTED_RECORDS'] },
        faults: [{ kind: 'bad-date', api: 'ListCopyJobs', count: 1 }],
      },
    ],
  },
  {
    ...odd,
    name: 'list-accounts-holds-a-null',
    quick: true,
    nights: () => [
      {
        codes: [0, 75],
        hurts: [
          {
            api: 'ListAccounts',
            deed: {
              kind: 'rewrite',
              rewrite: accounts((page) => ({
                ...page,
                Accounts: [null, ...(Array.isArray(page.Accounts) ? page.Accounts : [])],
              })),
            },
          },
        ],
      },
    ],
  },
  {
    ...odd,
    name: 'list-accounts-holds-an-account-without-an-id',
    nights: () => [
      {
        codes: [0, 75],
        hurts: [
          {
            api: 'ListAccounts',
            deed: {
              kind: 'rewrite',
              rewrite: accounts((page) => ({
                ...page,
                Accounts: [
                  { Name: 'nobody', State: 'ACTIVE' },
                  ...(Array.isArray(page.Accounts) ? page.Accounts : []),
                ],
              })),
            },
          },
        ],
      },
    ],
  },
  {
    ...odd,
    name: 'list-accounts-repeats-its-token',
    nights: () => [
      {
        codes: [69, 75],
        deadlineSeconds: 20,
        hurts: [
          {
            api: 'ListAccounts',
            deed: { kind: 'rewrite', rewrite: accounts((page) => ({ ...page, NextToken: 'the same' })) },
          },
        ],
      },
    ],
  },
  {
    ...odd,
    name: 'web-identity-keys-cannot-be-fetched-for-a-moment',
    good: webIdentity,
    nights: () => [
      {
        codes: [0],
        run: webIdentity,
        hurts: [
          {
            api: 'AssumeRoleWithWebIdentity',
            count: 2,
            deed: {
              kind: 'answer',
              answer: stsRefusal(
                400,
                'InvalidIdentityToken',
                "Couldn't retrieve verification key from your identity provider",
              ),
            },
          },
        ],
      },
    ],
    accounts: (world) => [member(world)],
  },
  {
    ...odd,
    name: 'identity-provider-cannot-be-reached',
    good: webIdentity,
    nights: () => [
      {
        codes: [69, 75],
        run: webIdentity,
        deadlineSeconds: 30,
        hurts: [
          {
            api: 'AssumeRoleWithWebIdentity',
            deed: {
              kind: 'answer',
              answer: stsRefusal(
                400,
                'IDPCommunicationError',
                'Error communicating with the identity provider',
              ),
            },
          },
        ],
      },
    ],
    accounts: (world) => [member(world)],
  },
  {
    ...odd,
    name: 'a-listed-region-refuses-every-token',
    // AWS lists the regions of the caller's own account only.
    good: { flags: { accounts: 'self' } },
    accounts: ({ simulator }) => [simulator.organization.active[0]?.id ?? ''],
    nights: () => [
      {
        codes: [75],
        run: { flags: { accounts: 'self' } },
        statuses: { some: ['OK'], none: ['REGION_DISABLED', 'ACCESS_DENIED'] },
        faults: [{ kind: 'disable-region', region: 'eu-west-1' }],
      },
    ],
  },
  {
    ...odd,
    name: 'answers-of-roles-are-lost',
    nights: () => [{ codes: [0], hurts: [{ api: 'AssumeRole', probability: 0.5, deed: { kind: 'lose' } }] }],
  },
  {
    ...odd,
    name: 'half-a-character-in-a-message',
    nights: () => [
      {
        codes: [0, 65],
        // All messages and none: the rows have to be there whatever their message holds.
        run: { flags: { since: 'all' } },
        statuses: { none: ['FAILED', 'PUBLISH_FAILED', 'OK_EMPTY'] },
        hurts: [
          {
            api: 'ListCopyJobs',
            deed: {
              kind: 'rewrite',
              rewrite: (body) => body.replace(/("StatusMessage":")/, '$1\\ud83d and more: '),
            },
          },
        ],
        keepsAll: true,
      },
    ],
    good: { flags: { since: 'all' } },
  },
  {
    ...odd,
    name: 'messages-of-60-kilobytes',
    simulator: { accounts: 2, regions: 2, jobsPerDay: 170, days: 6 },
    primed: false,
    good: { flags: { since: 'all' } },
    nights: () => [
      {
        codes: [0],
        deadlineSeconds: 240,
        run: { flags: { 'target-timeout': '200s' } },
        hurts: [
          {
            api: 'ListCopyJobs',
            deed: {
              kind: 'rewrite',
              rewrite: (body) =>
                JSON.stringify({
                  ...Object(JSON.parse(body)),
                  // Only fields that AWS fills later too: in a job that ended, a missing value replaces none.
                  CopyJobs: jobsIn(body).map((job, i) => {
                    const text = `${i} `.repeat(60_000).slice(0, 60_000);
                    const field = ['StatusMessage', 'ResourceName'].find((name) => name in job);
                    return field === undefined ? job : { ...job, [field]: text };
                  }),
                }),
            },
          },
        ],
      },
    ],
  },
  {
    ...refused,
    name: 'a-role-is-missing',
    quick: true,
    nights: (_, world) => [
      {
        codes: [77],
        statuses: { some: ['ASSUME_ROLE_FAILED', 'OK'] },
        says: [/role/i],
        faults: [{ kind: 'deny', api: 'AssumeRole', account: member(world) }],
      },
    ],
  },
  {
    ...refused,
    name: 'a-policy-denies-one-region',
    nights: () => [
      {
        codes: [77],
        statuses: { some: ['ACCESS_DENIED', 'OK'] },
        says: [/backup:ListCopyJobs/],
        faults: [{ kind: 'deny', region: 'eu-west-1' }],
      },
    ],
  },
  {
    ...refused,
    name: 'the-external-id-is-wrong',
    simulator: { externalId: 'the-right-one' },
    good: { flags: { 'external-id': 'the-right-one' } },
    nights: () => [
      {
        codes: [77],
        statuses: { some: ['ASSUME_ROLE_FAILED', 'OK'] },
        says: [/external.id/i],
        run: { flags: { 'external-id': 'a-wrong-one' } },
      },
    ],
  },
  {
    ...refused,
    name: 'the-secret-key-is-wrong',
    nights: () => [
      {
        codes: [77],
        says: [/credentials|secret/i],
        run: { env: { AWS_SECRET_ACCESS_KEY: 'not-the-secret-of-this-key' } },
      },
    ],
  },
  {
    ...refused,
    name: 'organizations-may-not-be-asked',
    nights: () => [
      { codes: [77], says: [/organizations:ListAccounts/], faults: [{ kind: 'deny', api: 'ListAccounts' }] },
    ],
  },
];

function jobsIn(body: string): object[] {
  const jobs: unknown = Reflect.get(Object(JSON.parse(body)), 'CopyJobs');
  return Array.isArray(jobs) ? jobs.map((job) => Object(job)) : [];
}
