/** The checks themselves: a lake that is broken in one way is told so, and one that is whole is not. */
import { expect, it } from 'vitest';
import type { LakeRow } from '../support/lake-reader.ts';
import type { Ended } from './exporter.ts';
import { type Looked, violations } from './lake-check.ts';
import type { LakeView, Part } from './lake-view.ts';

const account = '111122223333';
const target = `${account}/us-east-1`;
const asOf = Date.UTC(2026, 10, 21, 2);
const created = Date.UTC(2026, 10, 20, 5);
const key = 'copy_jobs/creation_date=2026-11-20/part-00000.parquet';

const job: LakeRow = {
  copy_job_id: 'job-1',
  account_id: account,
  region: 'us-east-1',
  creation_time: created,
  creation_date: '2026-11-20',
  state: 'COMPLETED',
};
const covered: LakeRow = {
  run_id: 'run-1',
  as_of: asOf,
  table_name: 'copy_jobs',
  account_id: account,
  region: 'us-east-1',
  status: 'OK',
  window_from: null,
  window_to: asOf,
};
const ended: Ended = { code: 0, signal: null, stdout: '', stderr: '', ms: 1000, overdue: false };

const jobs = (rows: readonly LakeRow[], of = key): Part => ({ key: of, table: 'copy_jobs', rows });
const coverage = (change: LakeRow = {}): Part => ({
  key: 'export_coverage/run_date=2026-11-21/run-1.parquet',
  table: 'export_coverage',
  rows: [{ ...covered, ...change }],
});

const whole: LakeView = {
  parts: [jobs([job]), coverage()],
  foreign: [],
  unreadable: new Map(),
  watermarks: [{ name: `copy_jobs/${target}`, from: null, to: asOf }],
  runs: [
    {
      runId: 'run-1',
      begin: { plan: [{ table: 'copy_jobs', account_id: account, region: 'us-east-1' }] },
      manifest: { run_id: 'run-1' },
    },
  ],
  buckets: 1,
  brokenLedger: [],
};
const before: LakeView = { ...whole, parts: [jobs([job])], watermarks: [], runs: [] };

function found(after: Partial<LakeView>, change: Partial<Looked> = {}): string {
  const truth = { now: asOf, jobs: new Map([[target, new Map([['job-1', created]])]]), counts: new Map() };
  return violations({ before, after: { ...whole, ...after }, ended, truth, stopped: false, ...change }).join(
    '\n',
  );
}

it('says nothing of a lake in which all holds', () => {
  expect(found({})).toBe('');
});

it.each<[string, Partial<LakeView>, RegExp]>([
  ['a lost row', { parts: [jobs([]), coverage()] }, /lost: job job-1/],
  ['a doubled row', { parts: [jobs([job, job]), coverage()] }, /doubled: job-1/],
  [
    'a row in another day',
    { parts: [jobs([{ ...job, creation_date: '2026-11-19' }]), coverage()] },
    /holds a row of 2026-11-20/,
  ],
  ['a row in another bucket', { buckets: 1000 }, /belongs into another bucket/],
  [
    'a job that ended and runs again',
    { parts: [jobs([{ ...job, state: 'RUNNING' }]), coverage()] },
    /went back/,
  ],
  ['a part that cannot be read', { unreadable: new Map([[key, 'no magic']]) }, /unreadable part/],
  ['a stranger among the parts', { foreign: ['copy_jobs/x.parquet'] }, /lies among the parts/],
  [
    'OK_EMPTY where AWS shows a job',
    { parts: [jobs([job]), coverage({ status: 'OK_EMPTY' })] },
    /OK_EMPTY of .* shows 1/,
  ],
  [
    'OK for a window without length',
    { parts: [jobs([job]), coverage({ window_from: asOf })] },
    /empty window/,
  ],
  [
    'OK for a time to come',
    { parts: [jobs([job]), coverage({ as_of: asOf + 1, window_to: asOf + 1 })] },
    /which is to come/,
  ],
  ['coverage of half a plan', { parts: [jobs([job])] }, /coverage has 0 rows for a plan of 1/],
  [
    'a watermark in the future',
    { watermarks: [{ name: `copy_jobs/${target}`, from: null, to: asOf + 1 }] },
    /the watermark of .* is to come/,
  ],
])('tells of %s', (_, after, words) => {
  expect(found(after)).toMatch(words);
});

it('tells of OK, and of a watermark, that cover a job which is not in the lake', () => {
  const truth = {
    now: asOf,
    jobs: new Map([
      [
        target,
        new Map([
          ['job-1', created],
          ['job-2', created],
        ]),
      ],
    ]),
    counts: new Map(),
  };
  expect(found({}, { truth })).toMatch(/OK of .* 1 of 2 jobs/);
  expect(found({}, { truth })).toMatch(/watermark of .* covers 1 jobs that are not in the lake/);
});

it.each<[string, Partial<Ended>, Partial<LakeView>, RegExp]>([
  ['an internal error', { code: 70 }, {}, /exit code 70/],
  ['a signal that ended it', { code: null, signal: 'SIGHUP' }, {}, /ended by SIGHUP/],
  ['a run that had to be killed', { overdue: true }, {}, /did not end by itself/],
  [
    '0 with a failed target',
    {},
    { parts: [jobs([job]), coverage({ status: 'THROTTLED' })] },
    /exit code 0, but/,
  ],
  [
    '77 for what time heals',
    { code: 77 },
    { parts: [jobs([job]), coverage({ status: 'THROTTLED' })] },
    /time can heal/,
  ],
  ['69 with a target that was read', { code: 69 }, {}, /targets were read/],
  ['65 without a rejected record', { code: 65 }, {}, /exit code 65, but/],
])('tells of %s', (_, end, after, words) => {
  expect(found(after, { ended: { ...ended, ...end } })).toMatch(words);
});

it('tells of a watermark that a dead run has moved', () => {
  const runs = whole.runs.map((run) => ({ ...run, manifest: null }));
  expect(found({ runs }, { ended: { ...ended, code: null, signal: 'SIGKILL' } })).toMatch(
    /without a manifest moved/,
  );
});
