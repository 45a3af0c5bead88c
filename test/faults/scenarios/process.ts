/** The process and its surroundings: signals, streams, users; and options that a person wrote wrongly. */
import { readdir } from 'node:fs/promises';
import { preloaded } from '../exporter.ts';
import type { Scenario } from '../scenario.ts';

const kind = 'the process';
const process = { kind, cause: 'process', lake: 'local', way: 'endpoint' } as const;
const mistaken = { kind: 'options', cause: 'person', lake: 'local', way: 'endpoint' } as const;

function told(
  name: string,
  send: NodeJS.Signals,
  api: string,
  nth: number,
  lake: 'local' | 's3' = 'local',
  quick = false,
): Scenario {
  return {
    ...process,
    name,
    lake,
    quick,
    nights: () => [{ codes: [75], signal: { send, at: { api, nth } } }],
  };
}

function whileLoading(name: string, signal: string, at: string): Scenario {
  return {
    ...process,
    name,
    nights: () => [
      { codes: [75], run: { ofNode: preloaded('signal-while-loading', { signal, at }) }, stopped: true },
    ],
  };
}

/** Nothing may be made of a lake that nobody meant. */
function wrongLake(name: string, lake: string): Scenario {
  return {
    ...mistaken,
    name,
    nights: () => [
      {
        codes: [64],
        says: [/--lake/],
        run: { flags: { lake } },
        after: async ({ folder }) => {
          const known = new Set([
            'lake',
            'scratch',
            'authority.pem',
            'token',
            'truth.ndjson',
            '.cache',
            'kept',
            'aws-config',
          ]);
          const made = (await readdir(folder)).filter((name) => !known.has(name));
          return made.map((name) => `made ${JSON.stringify(name)}`);
        },
      },
    ],
  };
}

export const processes: readonly Scenario[] = [
  told('sigterm-while-reading', 'SIGTERM', 'ListCopyJobs', 3, 'local', true),
  told('sigint-while-reading', 'SIGINT', 'ListCopyJobSummaries', 2),
  told('sighup-while-reading', 'SIGHUP', 'ListCopyJobs', 3),
  told('sigterm-at-the-first-call', 'SIGTERM', 'GetCallerIdentity', 1),
  told('sigterm-while-publishing-to-s3', 'SIGTERM', 'PutObject', 3, 's3'),
  told('sighup-while-publishing-to-s3', 'SIGHUP', 'PutObject', 4, 's3'),
  whileLoading('sigterm-while-the-program-loads', 'SIGTERM', 'src/command-line/command-line\\.ts$'),
  whileLoading('sighup-while-the-program-loads', 'SIGHUP', 'src/command-line/command-line\\.ts$'),
  whileLoading('sigint-while-the-sdk-loads', 'SIGINT', '@aws-sdk/client-backup/'),
  {
    ...process,
    name: 'stdout-is-full',
    // Linux has a device that is always full: man 4 full.
    // The lake has everything: what the run did counts, not what stdout did with its report.
    nights: () => [
      { codes: [0], says: [/could not be written to stdout/], run: { stdoutFile: '/dev/full' } },
    ],
  },
  {
    ...process,
    name: 'no-home-and-no-user',
    quick: true,
    nights: () => [{ codes: [0], run: { env: { HOME: null }, ofNode: preloaded('no-home') } }],
  },
  {
    ...process,
    name: 'no-home-and-no-user-on-s3',
    lake: 's3',
    nights: () => [{ codes: [0], run: { env: { HOME: null }, ofNode: preloaded('no-home') } }],
  },
  wrongLake('lake-with-one-slash', 's3:/bucket/x'),
  wrongLake('lake-without-a-colon', 's3//bucket/x'),
  wrongLake('lake-is-an-arn', 'arn:aws:s3:::bucket/x'),
  wrongLake('lake-ends-in-a-newline', './lake-of-today\n'),
  wrongLake('lake-on-s3-ends-in-a-newline', 's3://bucket/x\n'),
  wrongLake('lake-in-capitals', 'S3:/bucket/x'),
  wrongLake('lake-is-an-https-url', 'https://bucket.s3.us-east-1.amazonaws.com/x'),
  {
    ...mistaken,
    name: 'a-bucket-owner-of-a-folder',
    nights: () => [
      {
        codes: [64],
        says: [/--expected-bucket-owner/],
        run: { flags: { 'expected-bucket-owner': '111122223333' } },
      },
    ],
  },
  {
    ...mistaken,
    name: 'a-kms-key-of-a-folder',
    nights: () => [{ codes: [64], says: [/--kms-key-id/], run: { flags: { 'kms-key-id': 'alias/lake' } } }],
  },
  {
    ...mistaken,
    name: 'a-hash-in-the-password-of-the-proxy',
    way: 'proxy',
    nights: () => [
      {
        codes: [0, 64, 75],
        never: [/check the credentials/i],
        run: ({ proxy }) => ({ env: { HTTPS_PROXY: `http://user:pass#word@127.0.0.1:${proxy.port}` } }),
      },
    ],
  },
];
