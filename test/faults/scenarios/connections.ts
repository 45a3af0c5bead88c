/** The way to AWS: proxies that drop, garble and refuse; TLS that fails; names that do not resolve. */
import type { Deed } from '../hurts.ts';
import type { Scenario } from '../scenario.ts';
import { page } from './answers.ts';

const kind = 'the way to AWS';
const over = { kind, cause: 'way', lake: 'local', way: 'proxy' } as const;
const overToS3 = { ...over, lake: 's3' } as const;
const wayIsOpen = { codes: [0] } as const;
const nothingRead = { codes: [69, 75], statuses: { none: ['OK', 'OK_EMPTY'] } } as const;

/** One connection to each service in turn is hurt: nobody needs to hear of it. */
function once(name: string, deed: Deed, service: string, quick = false): Scenario {
  return {
    ...(service === 's3' ? overToS3 : over),
    name,
    quick,
    nights: () => [{ ...wayIsOpen, hurts: [{ stage: 'connect', service, count: 1, deed }] }],
  };
}

export const connections: readonly Scenario[] = [
  once('proxy-drops-first-connect', { kind: 'drop' }, 'sts', true),
  once('proxy-drops-connect-to-organizations', { kind: 'drop' }, 'organizations'),
  once('proxy-drops-connect-to-backup', { kind: 'drop' }, 'backup'),
  once('proxy-drops-connect-to-s3', { kind: 'drop' }, 's3', true),
  once('proxy-resets-connect', { kind: 'reset' }, 'backup'),
  once('proxy-resets-connect-to-s3', { kind: 'reset' }, 's3'),
  once('proxy-answers-connect-with-garbage', { kind: 'garbage' }, 'sts'),
  once('proxy-answers-connect-to-backup-with-garbage', { kind: 'garbage' }, 'backup'),
  once('proxy-answers-connect-to-s3-with-garbage', { kind: 'garbage' }, 's3'),
  once('proxy-answers-connect-half', { kind: 'cut', bytes: 20 }, 'backup'),
  once('proxy-answers-connect-502', { kind: 'answer', answer: page(502) }, 'backup'),
  once('proxy-answers-connect-to-s3-503', { kind: 'answer', answer: page(503) }, 's3'),
  once('tls-alert-from-sts', { kind: 'alert' }, 'sts'),
  once('tls-alert-from-backup', { kind: 'alert' }, 'backup'),
  once('tls-alert-from-s3', { kind: 'alert' }, 's3', true),
  {
    ...over,
    name: 'proxy-drops-a-third-of-connects',
    nights: () => [
      { codes: [0, 75], hurts: [{ stage: 'connect', probability: 0.33, deed: { kind: 'drop' } }] },
    ],
  },
  {
    ...over,
    name: 'proxy-drops-every-connect-to-one-region',
    nights: () => [
      {
        codes: [75],
        statuses: { some: ['UNREACHABLE', 'OK'] },
        hurts: [{ stage: 'connect', service: 'backup', region: 'eu-west-1', deed: { kind: 'drop' } }],
      },
    ],
  },
  {
    ...over,
    name: 'proxy-drops-every-connect',
    nights: () => [
      { ...nothingRead, deadlineSeconds: 20, hurts: [{ stage: 'connect', deed: { kind: 'drop' } }] },
    ],
  },
  {
    ...overToS3,
    name: 'proxy-drops-every-connect-to-s3',
    nights: () => [
      {
        codes: [74, 75],
        deadlineSeconds: 25,
        hurts: [{ stage: 'connect', service: 's3', deed: { kind: 'drop' } }],
      },
    ],
  },
  {
    ...over,
    name: 'proxy-refuses-every-connect-with-403',
    nights: () => [
      {
        ...nothingRead,
        deadlineSeconds: 30,
        says: [/proxy|between the job and AWS/i],
        hurts: [{ stage: 'connect', deed: { kind: 'answer', answer: page(403) } }],
      },
    ],
  },
  {
    ...over,
    name: 'proxy-refuses-one-region-with-403',
    nights: () => [
      {
        codes: [75],
        says: [/proxy|between the job and AWS/i],
        statuses: { some: ['UNREACHABLE'] },
        hurts: [
          {
            stage: 'connect',
            service: 'backup',
            region: 'eu-west-1',
            deed: { kind: 'answer', answer: page(403) },
          },
        ],
      },
    ],
  },
  {
    ...over,
    name: 'proxy-asks-for-its-password',
    nights: () => [
      {
        ...nothingRead,
        deadlineSeconds: 30,
        says: [/proxy/i],
        hurts: [
          {
            stage: 'connect',
            deed: { kind: 'answer', answer: page(407, { 'proxy-authenticate': 'Basic realm="gateway"' }) },
          },
        ],
      },
    ],
  },
  {
    ...over,
    name: 'proxy-takes-connects-and-is-silent',
    nights: () => [
      { codes: [0, 75], hurts: [{ stage: 'connect', service: 'backup', count: 2, deed: { kind: 'hang' } }] },
    ],
  },
  {
    ...over,
    name: 'proxy-opens-tls-with-an-unknown-authority',
    nights: () => [
      {
        codes: [75],
        statuses: { some: ['UNREACHABLE'] },
        says: [/NODE_EXTRA_CA_CERTS/],
        hurts: [{ stage: 'connect', service: 'backup', region: 'eu-west-1', deed: { kind: 'stranger' } }],
      },
    ],
  },
  {
    ...overToS3,
    name: 'proxy-opens-tls-of-s3-with-an-unknown-authority',
    nights: () => [
      {
        codes: [74, 75],
        deadlineSeconds: 30,
        says: [/NODE_EXTRA_CA_CERTS/],
        hurts: [{ stage: 'connect', service: 's3', deed: { kind: 'stranger' } }],
      },
    ],
  },
  {
    ...over,
    name: 'proxy-is-not-there',
    nights: () => [
      { ...nothingRead, deadlineSeconds: 20, run: { env: { HTTPS_PROXY: 'http://127.0.0.1:1' } } },
    ],
  },
  {
    ...over,
    name: 'socks-proxy-is-not-there',
    nights: () => [
      {
        ...nothingRead,
        deadlineSeconds: 20,
        run: { env: { HTTPS_PROXY: null, ALL_PROXY: 'socks5h://127.0.0.1:1' } },
      },
    ],
  },
  {
    ...over,
    name: 'proxy-without-a-scheme',
    nights: () => [
      { ...wayIsOpen, run: ({ proxy }) => ({ env: { HTTPS_PROXY: `127.0.0.1:${proxy.port}` } }) },
    ],
  },
  {
    ...over,
    way: 'names',
    name: 'no-proxy-names-a-domain-without-a-dot',
    nights: () => [
      { ...wayIsOpen, run: { env: { HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: 'amazonaws.com' } } },
    ],
  },
  {
    ...over,
    way: 'names',
    name: 'no-proxy-names-a-region',
    simulator: { regions: 1 },
    nights: () => [
      {
        ...wayIsOpen,
        run: { env: { HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: 'us-east-1.amazonaws.com' } },
      },
    ],
  },
  {
    ...over,
    way: 'names',
    name: 'name-of-a-region-read-before-is-gone',
    nights: () => [
      {
        codes: [75],
        statuses: { some: ['UNREACHABLE', 'OK'] },
        run: { names: { missing: '^backup\\.eu-west-1' } },
      },
    ],
  },
  {
    ...over,
    way: 'names',
    name: 'name-of-a-listed-region-was-never-there',
    primed: false,
    nights: () => [
      {
        codes: [75],
        statuses: { some: ['UNREACHABLE', 'OK'] },
        run: { names: { missing: '^backup\\.eu-west-1' } },
      },
    ],
  },
  {
    ...over,
    way: 'names',
    name: 'fips-name-of-a-listed-region-is-not-there',
    primed: false,
    nights: () => [
      {
        codes: [75],
        statuses: { some: ['UNREACHABLE', 'OK'] },
        run: { names: { missing: '^backup-fips\\.eu-west-1' }, env: { AWS_USE_FIPS_ENDPOINT: 'true' } },
      },
    ],
  },
  {
    ...over,
    way: 'names',
    name: 'name-servers-are-silent',
    nights: () => [{ ...nothingRead, deadlineSeconds: 20, run: { names: { silent: '.' } } }],
  },
];
