import { ListCopyJobsCommand, type ListCopyJobsCommandInput } from '@aws-sdk/client-backup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SentPages } from '../../src/simulator/sent-pages.ts';
import { DAY, HOUR } from '../../src/simulator/simulated-clock.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { defaultOptions } from '../../src/simulator/simulator-options.ts';
import { clientsOf, drainJobs, type WireRecord } from './clients.ts';

const now = defaultOptions.now;
let simulator: Simulator;
let account: string;
let all: WireRecord[];

beforeAll(async () => {
  simulator = await startSimulator({ accounts: 3, regions: 2, jobsPerDay: 40 });
  account = simulator.organization.management.id;
  all = (await drainJobs(simulator, account, 'us-east-1')).records;
});
afterAll(() => simulator.stop());

const created = (record: WireRecord) => Number(record.CreationDate) * 1000;
const ids = (records: readonly WireRecord[]) => records.map((record) => String(record.CopyJobId)).sort();

async function expectFiltered(input: ListCopyJobsCommandInput, keep: (record: WireRecord) => boolean) {
  const { records } = await drainJobs(simulator, account, 'us-east-1', input);
  const wanted = all.filter(keep);
  expect(wanted.length).toBeGreaterThan(0);
  expect(wanted.length).toBeLessThan(all.length);
  expect(ids(records)).toEqual(ids(wanted));
}

describe('a listing', () => {
  it('holds every job of 30 days once, about as many as asked for', () => {
    expect(new Set(ids(all)).size).toBe(all.length);
    expect(all.length / 30).toBeGreaterThan(34);
    expect(all.length / 30).toBeLessThan(46);
    expect(Math.min(...all.map(created))).toBeGreaterThanOrEqual(now - 30 * DAY);
    expect(Math.max(...all.map(created))).toBeLessThan(now);
  });

  it.each([1, 7, 100, 1000])('is the same in pages of at most %i', async (MaxResults) => {
    const ByCreatedAfter = new Date(now - (MaxResults === 1 ? 1 : 30) * DAY);
    const wanted = all.filter((record) => created(record) >= ByCreatedAfter.getTime());
    const { records, pages } = await drainJobs(simulator, account, 'us-east-1', {
      MaxResults,
      ByCreatedAfter,
    });
    expect(records).toEqual(wanted);
    expect(pages).toBe(Math.ceil(wanted.length / MaxResults));
  });

  it('shows jobs in every state, of many types, parents and children, old ones without newer fields', () => {
    const values = (field: string) => new Set(all.map((record) => record[field]));
    expect([...values('State')]).toEqual(
      expect.arrayContaining(['RUNNING', 'COMPLETED', 'FAILED', 'PARTIAL']),
    );
    expect(values('ResourceType').size).toBeGreaterThan(6);
    expect(values('DestinationVaultType')).toEqual(
      new Set(['BACKUP_VAULT', 'LOGICALLY_AIR_GAPPED_BACKUP_VAULT', undefined]),
    );
    const recent = all.filter((record) => created(record) > now - 20 * DAY);
    expect(recent.length).toBeGreaterThan(0);
    expect(recent.every((record) => record.DestinationVaultType !== undefined)).toBe(true);
    expect(all.some((record) => record.CreatedBy === undefined)).toBe(true);
    expect(all.some((record) => record.BackupSizeInBytes === 0)).toBe(true);
    expect(all.every((record) => Object.values(record).every((value) => value !== null))).toBe(true);
    expect(JSON.stringify(all)).toMatch(/\p{Emoji_Presentation}/u);
    const parents = all.filter((record) => record.IsParent === true);
    expect(parents.length).toBeGreaterThan(0);
    for (const parent of parents) {
      const children = all.filter((record) => record.ParentJobId === parent.CopyJobId);
      expect(children.length).toBe(parent.NumberOfChildJobs);
      const sizes = children.map(({ BackupSizeInBytes }) => Number(BackupSizeInBytes ?? 0));
      expect(parent.BackupSizeInBytes ?? 0).toBe(sizes.reduce((sum, size) => sum + size, 0));
      const states: Record<string, number> = {};
      for (const { State } of children) states[String(State)] = (states[String(State)] ?? 0) + 1;
      expect(parent.ChildJobsInState).toEqual(states);
      expect(Math.min(...children.map(created))).toBeGreaterThanOrEqual(created(parent));
    }
  });

  it('remembers a position deep in the past without making what lies before it', async () => {
    const hot = await startSimulator({ accounts: 1, regions: 1, jobsPerDay: 1_000_000, days: 30 });
    try {
      const { backup } = clientsOf(hot);
      const input = { ByCreatedBefore: new Date(now - 29 * DAY), MaxResults: 1000 };
      const first = await backup.send(new ListCopyJobsCommand(input));
      const second = await backup.send(new ListCopyJobsCommand({ ...input, NextToken: first.NextToken }));
      const known = new Set(first.CopyJobs?.map((job) => job.CopyJobId));
      expect(second.CopyJobs?.length).toBe(1000);
      expect(second.CopyJobs?.some((job) => known.has(job.CopyJobId))).toBe(false);
    } finally {
      await hot.stop();
    }
  });
});

describe('a filter', () => {
  it('by creation includes the lower bound and not the upper', async () => {
    const middle = created(all[Math.floor(all.length / 2)] ?? {});
    const ByCreatedAfter = new Date(middle);
    await expectFiltered({ ByCreatedAfter }, (record) => created(record) >= middle);
    await expectFiltered({ ByCreatedBefore: ByCreatedAfter }, (record) => created(record) < middle);
    const from = now - 3 * DAY - HOUR;
    await expectFiltered(
      { ByCreatedAfter: new Date(from), ByCreatedBefore: new Date(from + DAY) },
      (record) => created(record) >= from && created(record) < from + DAY,
    );
  });

  it('by completion leaves out what has not ended', async () => {
    const from = now - 3 * DAY;
    const completed = (record: WireRecord) => Number(record.CompletionDate) * 1000;
    await expectFiltered({ ByCompleteAfter: new Date(from) }, (record) => completed(record) >= from);
    await expectFiltered({ ByCompleteBefore: new Date(from) }, (record) => completed(record) < from);
    await expectFiltered(
      { ByCompleteBefore: new Date(now + 9 * DAY) },
      (record) => record.CompletionDate !== undefined,
    );
  });

  it('by state, type, category, vault, resource and recovery point keeps those that are equal', async () => {
    const one = all.find((record) => record.State === 'FAILED' && record.MessageCategory) ?? {};
    const text = (field: string) => String(one[field]);
    await expectFiltered({ ByState: 'FAILED' }, (record) => record.State === 'FAILED');
    await expectFiltered({ ByState: 'RUNNING' }, (record) => record.State === 'RUNNING');
    for (const [filter, field] of [
      ['ByResourceType', 'ResourceType'],
      ['ByMessageCategory', 'MessageCategory'],
      ['ByDestinationVaultArn', 'DestinationBackupVaultArn'],
      ['ByResourceArn', 'ResourceArn'],
      ['BySourceRecoveryPointArn', 'SourceRecoveryPointArn'],
    ] as const) {
      await expectFiltered({ [filter]: text(field) }, (record) => record[field] === text(field));
    }
  });

  it('by parent keeps its children', async () => {
    const parent = all.find((record) => record.IsParent === true)?.CopyJobId;
    await expectFiltered({ ByParentJobId: String(parent) }, (record) => record.ParentJobId === parent);
    const none = await drainJobs(simulator, account, 'us-east-1', { ByParentJobId: 'not-an-id' });
    expect(none.records).toEqual([]);
  });

  it('by account keeps those of the owner', async () => {
    const own = await drainJobs(simulator, account, 'us-east-1', { ByAccountId: account });
    expect(own.records).toEqual(all);
    const other = await drainJobs(simulator, account, 'us-east-1', { ByAccountId: '123456789012' });
    expect(other.records).toEqual([]);
  });

  it.each([
    [{ ByState: 'DONE' }, /state/],
    [{ MaxResults: 0 }, /maxResults/],
    [{ MaxResults: 1001 }, /maxResults/],
    [{ ByAccountId: '12' }, /accountId/],
    [{ ByResourceType: 'a b' }, /resourceType/],
    [{ NextToken: 'bm9uc2Vuc2U=' }, /token/],
  ])('that is not possible is refused: %o', async (input, message) => {
    const { backup } = clientsOf(simulator);
    // Safe: the point is to send what the types forbid.
    const command = new ListCopyJobsCommand(input as ListCopyJobsCommandInput);
    await expect(backup.send(command)).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      $metadata: { httpStatusCode: 400 },
      message: expect.stringMatching(message),
    });
  });

  it('makes a page token worthless for another request', async () => {
    const first = await clientsOf(simulator).backup.send(new ListCopyJobsCommand({ MaxResults: 5 }));
    const { NextToken } = first;
    expect(NextToken).toBeTruthy();
    for (const [region, input] of [
      ['us-east-1', { ByState: 'FAILED' }],
      ['eu-west-1', {}],
    ] as const) {
      const { backup } = clientsOf(simulator, region);
      await expect(backup.send(new ListCopyJobsCommand({ ...input, NextToken }))).rejects.toThrow(/token/);
    }
  });
});

describe('children', () => {
  it('that are hidden are listed only when asked for by their parent', async () => {
    const hidden = await startSimulator({ accounts: 3, regions: 2, jobsPerDay: 40, children: 'hidden' });
    try {
      const { records } = await drainJobs(hidden, account, 'us-east-1');
      expect(records).toEqual(all.filter((record) => record.ParentJobId === undefined));
      const parent = all.find((record) => record.IsParent === true)?.CopyJobId;
      const family = await drainJobs(hidden, account, 'us-east-1', { ByParentJobId: String(parent) });
      expect(family.records).toEqual(all.filter((record) => record.ParentJobId === parent));
    } finally {
      await hidden.stop();
    }
  });
});

describe('pages that are kept', () => {
  it('are sent again as they were, and not once the clock has moved', async () => {
    const keeping = await startSimulator({
      ...{ accounts: 3, regions: 2, jobsPerDay: 40 },
      keepPagesBytes: 1024 * 1024 * 1024,
    });
    try {
      const drain = () => drainJobs(keeping, account, 'us-east-1', { MaxResults: 500 });
      const first = await drain();
      expect(first.records).toEqual(all);
      expect(await drain()).toEqual(first);
      await keeping.advance(DAY);
      expect((await drain()).records).not.toEqual(all);
    } finally {
      await keeping.stop();
    }
  });

  it('keep within their limit', () => {
    const pages = new SentPages(10);
    pages.keep('first', 'eight by');
    pages.keep('second', 'too much');
    expect(pages.find('first')?.toString()).toBe('eight by');
    expect(pages.find('second')).toBeNull();
  });
});

describe('a copy between accounts', () => {
  it('is listed where it goes only with listInDestination, as the same record', async () => {
    const both = await startSimulator({ accounts: 3, regions: 2, jobsPerDay: 40, listInDestination: true });
    try {
      const hub = both.organization.active[1]?.id ?? '';
      const { records } = await drainJobs(both, hub, 'us-east-1', { MaxResults: 333 });
      const here = await drainJobs(simulator, hub, 'us-east-1');
      expect(ids(records.filter((record) => record.AccountId === hub))).toEqual(ids(here.records));
      const vaults = `arn:aws:backup:us-east-1:${hub}:`;
      const incoming: WireRecord[] = [];
      for (const { id } of both.organization.active.filter((one) => one.id !== hub)) {
        for (const region of both.regions) {
          const owned = (await drainJobs(simulator, id, region)).records;
          incoming.push(
            ...owned.filter((record) => String(record.DestinationBackupVaultArn).startsWith(vaults)),
          );
        }
      }
      expect(incoming.length).toBeGreaterThan(0);
      const foreign = records.filter((record) => record.AccountId !== hub);
      const byId = (a: WireRecord, b: WireRecord) => (String(a.CopyJobId) < String(b.CopyJobId) ? -1 : 1);
      expect(foreign.sort(byId)).toEqual(incoming.sort(byId));
    } finally {
      await both.stop();
    }
  });
});

describe('a seed', () => {
  it('gives the same bytes again, and another seed others', async () => {
    const again = await startSimulator({ accounts: 3, regions: 2, jobsPerDay: 40 });
    const other = await startSimulator({ accounts: 3, regions: 2, jobsPerDay: 40, seed: 8 });
    try {
      expect(again.env.AWS_ACCESS_KEY_ID).toBe(simulator.env.AWS_ACCESS_KEY_ID);
      expect((await drainJobs(again, account, 'us-east-1')).records).toEqual(all);
      expect(other.organization.management.id).not.toBe(account);
    } finally {
      await again.stop();
      await other.stop();
    }
  });
});
