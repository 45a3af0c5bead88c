import { ListCopyJobSummariesCommand, type ListCopyJobSummariesCommandInput } from '@aws-sdk/client-backup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY } from '../../src/simulator/simulated-clock.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { clientsOf, drainJobs, drainSummaries, type WireRecord } from './clients.ts';

let simulator: Simulator;
let account: string;
let jobs: WireRecord[];
beforeAll(async () => {
  simulator = await startSimulator({ accounts: 3, regions: 2, jobsPerDay: 30 });
  account = simulator.organization.active[1]?.id ?? '';
  jobs = (await drainJobs(simulator, account, 'eu-west-1')).records;
});
afterAll(() => simulator.stop());

const created = (job: WireRecord) => Number(job.CreationDate) * 1000;
const midnight = Date.UTC(2026, 10, 20);

/** What the jobs that a listing shows add up to. */
function counted(keep: (job: WireRecord) => boolean, startOf: (job: WireRecord) => number): string[] {
  const counts = new Map<string, number>();
  for (const job of jobs.filter(keep)) {
    const key = JSON.stringify([startOf(job), job.State, job.ResourceType, job.MessageCategory]);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, count]) => `${key} ${count}`).sort();
}

function shown(records: readonly WireRecord[]): string[] {
  return records
    .map(({ StartTime, State, ResourceType, MessageCategory, Count }) => {
      return `${JSON.stringify([Number(StartTime) * 1000, State, ResourceType, MessageCategory])} ${Count}`;
    })
    .sort();
}

async function ask(input: ListCopyJobSummariesCommandInput, client = clientsOf(simulator, 'eu-west-1')) {
  const { CopyJobSummaries } = await client.backup.send(new ListCopyJobSummariesCommand(input));
  return CopyJobSummaries ?? [];
}

const sum = (records: readonly { readonly Count?: number | undefined }[]) =>
  records.reduce((total, { Count }) => total + (Count ?? 0), 0);

describe('the counts', () => {
  it('of a day are those of the jobs created on it, for fourteen days', async () => {
    const { records } = await drainSummaries(simulator, account, 'eu-west-1', 'ONE_DAY');
    const first = midnight - 13 * DAY;
    const expected = counted(
      (job) => created(job) >= first,
      (job) => Math.floor(created(job) / DAY) * DAY,
    );
    expect(expected.length).toBeGreaterThan(50);
    expect(shown(records)).toEqual(expected);
    expect(new Set(records.map(({ Region, AccountId }) => `${Region} ${AccountId}`))).toEqual(
      new Set([`eu-west-1 ${account}`]),
    );
    expect(records.every(({ StartTime, EndTime }) => Number(EndTime) - Number(StartTime) === 86400)).toBe(
      true,
    );
  });

  it.each([
    ['SEVEN_DAYS', 7],
    ['FOURTEEN_DAYS', 14],
  ] as const)('of %s are one window that ends with today', async (period, days) => {
    const { records } = await drainSummaries(simulator, account, 'eu-west-1', period);
    const first = midnight - (days - 1) * DAY;
    expect(shown(records)).toEqual(
      counted(
        (job) => created(job) >= first,
        () => first,
      ),
    );
  });

  it('are the same in small pages', async () => {
    const whole = await drainSummaries(simulator, account, 'eu-west-1', 'ONE_DAY');
    const small = await drainSummaries(simulator, account, 'eu-west-1', 'ONE_DAY', 9);
    expect(small.records).toEqual(whole.records);
    expect(small.pages).toBe(Math.ceil(whole.records.length / 9));
  });

  it('of a page token are refused once the clock has moved', async () => {
    const own = await startSimulator({ accounts: 1, regions: 1, jobsPerDay: 30 });
    try {
      const { backup } = clientsOf(own);
      const input = { State: 'ANY', ResourceType: 'ANY', MaxResults: 2 } as const;
      const { NextToken } = await backup.send(new ListCopyJobSummariesCommand(input));
      expect(NextToken).toBeTruthy();
      await own.advance(1000);
      const next = backup.send(new ListCopyJobSummariesCommand({ ...input, NextToken }));
      await expect(next).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    } finally {
      await own.stop();
    }
  });
});

describe('a filter of the counts', () => {
  it('keeps one value, adds all up, or keeps them apart', async () => {
    const apart = { AccountId: account, ResourceType: 'ANY', MessageCategory: 'ANY' };
    const all = await ask({ ...apart, State: 'ANY' });
    const failed = await ask({ ...apart, State: 'FAILED' });
    expect(failed).toEqual(all.filter(({ State }) => State === 'FAILED'));
    expect(failed.length).toBeGreaterThan(0);
    const ebs = await ask({ ...apart, State: 'ANY', ResourceType: 'EBS' });
    expect(ebs).toEqual(all.filter(({ ResourceType }) => ResourceType === 'EBS'));
    const denied = await ask({ ...apart, State: 'ANY', MessageCategory: 'AccessDenied' });
    expect(denied).toEqual(all.filter(({ MessageCategory }) => MessageCategory === 'AccessDenied'));
    const added = await ask({
      AccountId: account,
      State: 'AGGREGATE_ALL',
      ResourceType: 'AGGREGATE_ALL',
      MessageCategory: 'AGGREGATE_ALL',
    });
    expect(added).toHaveLength(new Set(all.map(({ StartTime }) => StartTime?.getTime())).size);
    expect(sum(added)).toBe(sum(all));
    expect(added[0]).toMatchObject({ State: 'AGGREGATE_ALL', MessageCategory: 'AGGREGATE_ALL' });
  });

  it('by account lets the management account see the others', async () => {
    const apart = { State: 'ANY', ResourceType: 'ANY', MessageCategory: 'ANY' } as const;
    const every = await ask({ ...apart, AccountId: 'ANY' });
    expect(new Set(every.map(({ AccountId }) => AccountId))).toEqual(
      new Set(simulator.organization.active.map(({ id }) => id)),
    );
    const added = await ask({ ...apart, AccountId: 'AGGREGATE_ALL' });
    expect(new Set(added.map(({ AccountId }) => AccountId))).toEqual(new Set(['AGGREGATE_ALL']));
    expect(sum(added)).toBe(sum(every));
  });

  it.each([{ State: 'DONE' }, { AggregationPeriod: 'ONE_YEAR' }, { MaxResults: 1001 }, { AccountId: '7' }])(
    'that is not possible is refused: %o',
    async (input) => {
      // Safe: the point is to send what the types forbid.
      await expect(ask(input as ListCopyJobSummariesCommandInput)).rejects.toMatchObject({
        name: 'InvalidParameterValueException',
      });
    },
  );
});
