/** Times that are wrong: AWS's, S3's, the machine's, and those that the lake remembers. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scenario } from '../scenario.ts';
import type { World } from '../world.ts';
import { jsonRefusal, s3Refusal } from './answers.ts';

const hour = 3_600_000;
const day = 24 * hour;
const kind = 'clocks';
const theirs = { kind, cause: 'aws-clock', lake: 'local', way: 'endpoint' } as const;
const ours = { ...theirs, cause: 'own-clock' } as const;

/** Which answers have a Date that is off. */
function wrongDate(
  name: string,
  service: string | null,
  byMs: number | null,
  codes: readonly number[],
  quick = false,
): Scenario {
  return {
    ...theirs,
    name,
    quick,
    lake: service === 's3' ? 's3' : 'local',
    nights: () => [
      {
        codes,
        deadlineSeconds: 40,
        hurts: [{ ...(service === null ? {} : { service }), deed: { kind: 'date', byMs } }],
      },
    ],
  };
}

function wrongClock(
  name: string,
  clockOffMs: number,
  lake: 'local' | 's3' = 'local',
  quick = false,
): Scenario {
  return { ...ours, name, quick, lake, nights: () => [{ codes: [0], run: { clockOffMs } }] };
}

function jump(
  name: string,
  clockJumpMs: number,
  api: string,
  nth: number,
  lake: 'local' | 's3' = 'local',
): Scenario {
  return {
    ...ours,
    name,
    lake,
    nights: () => [{ codes: [0, 75], run: { clockJumpMs }, signal: { send: 'SIGUSR2', at: { api, nth } } }],
  };
}

async function editWatermarks({ lakeFolder, simulator }: World, byMs: number): Promise<void> {
  const file = join(lakeFolder, '_ledger/watermarks/00000.json');
  const later = new Date(simulator.now() + byMs).toISOString();
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/"(covered_to|full_at)": "[^"]+"/g, `"$1": "${later}"`));
}

export const clocks: readonly Scenario[] = [
  wrongDate('sts-is-40-days-ahead', 'sts', 40 * day, [0, 75], true),
  wrongDate('sts-is-72-hours-ahead', 'sts', 72 * hour, [0, 75]),
  wrongDate('sts-is-25-hours-behind', 'sts', -25 * hour, [0, 75]),
  wrongDate('sts-is-40-days-behind', 'sts', -40 * day, [0, 75]),
  wrongDate('sts-gives-no-date', 'sts', null, [0, 75]),
  wrongDate('backup-is-a-day-ahead', 'backup', day, [0, 69, 75]),
  wrongDate('backup-is-a-day-behind', 'backup', -day, [0, 69, 75]),
  wrongDate('backup-gives-no-date', 'backup', null, [0, 69, 75]),
  wrongDate('s3-is-two-days-ahead', 's3', 2 * day, [0, 74, 75]),
  wrongDate('all-answers-are-40-days-ahead', null, 40 * day, [69, 75]),
  {
    ...theirs,
    name: 'one-answer-of-sts-is-40-days-ahead',
    nights: () => [
      {
        codes: [0, 75],
        hurts: [{ api: 'GetCallerIdentity', count: 1, deed: { kind: 'date', byMs: 40 * day } }],
      },
    ],
  },
  {
    ...theirs,
    name: 'one-page-is-40-days-ahead',
    nights: () => [
      { codes: [0, 75], hurts: [{ api: 'ListCopyJobs', count: 1, deed: { kind: 'date', byMs: 40 * day } }] },
    ],
  },
  {
    ...theirs,
    name: 'aws-refuses-a-signature-for-its-time',
    nights: () => [
      {
        codes: [0],
        hurts: [
          {
            service: 'backup',
            count: 2,
            deed: {
              kind: 'answer',
              answer: jsonRefusal(
                403,
                'RequestTimeTooSkewed',
                'The difference between the request time and the current time is too large.',
              ),
            },
          },
        ],
      },
    ],
  },
  {
    ...theirs,
    name: 's3-refuses-a-signature-for-its-time',
    lake: 's3',
    nights: () => [
      {
        codes: [0],
        hurts: [
          {
            service: 's3',
            api: 'PutObject',
            count: 2,
            deed: {
              kind: 'answer',
              answer: s3Refusal(
                403,
                'RequestTimeTooSkewed',
                'The difference between the request time and the current time is too large.',
              ),
            },
          },
        ],
      },
    ],
  },
  wrongClock('machine-is-a-day-behind', -day),
  wrongClock('machine-is-a-day-ahead', day, 'local', true),
  wrongClock('machine-is-a-day-ahead-of-s3', day, 's3'),
  wrongClock('machine-is-20-minutes-behind-s3', -20 * 60_000, 's3'),
  jump('machine-goes-back-a-day-in-mid-run', -day, 'ListCopyJobs', 3),
  jump('machine-goes-back-a-day-before-roles', -day, 'AssumeRole', 1),
  jump('machine-goes-back-a-day-while-s3-is-written', -day, 'PutObject', 4, 's3'),
  jump('machine-goes-on-a-day-in-mid-run', day, 'ListCopyJobs', 3),
  {
    kind,
    cause: 'lake',
    lake: 'local',
    way: 'endpoint',
    name: 'watermarks-lie-in-the-future',
    quick: true,
    nights: () => [
      {
        before: (world) => editWatermarks(world, 34 * day),
        codes: [0],
        says: [/watermark/i],
        damage: { watermarks: true },
      },
    ],
  },
];
