/** Which targets no run plans any more, from the begin records, and which runs died. */
import { expect, it } from 'vitest';
import { beginKey, manifestKey } from '../../src/lake/layout.ts';
import type { Store } from '../../src/lake/stores/store.ts';
import { newRunId } from '../../src/ledger/runs.ts';
import { UnreadObjects } from '../../src/query/unread-objects.ts';
import type { CoverageFacts, DrainFacts } from '../../src/status/coverage-facts.ts';
import { type LedgerReading, plannedNoMore, unfinishedRuns } from '../../src/status/ledger-runs.ts';
import { utcDay } from '../../src/tables/table.ts';
import { day, hour, now, well } from './organizations.ts';

const signal = new AbortController().signal;

interface Night {
  readonly daysAgo: number;
  readonly accounts: readonly string[];
  readonly settings?: Readonly<Record<string, unknown>>;
  /** False: the run died. */
  readonly ended?: boolean;
  readonly deadlineMs?: number;
  /** When its process ends at the latest: a shard's may begin long after its night. Default: the record does not say. */
  readonly endsDaysAgo?: number;
}

/** The objects of a ledger, and the coverage facts that its runs left. */
function ledger(nights: readonly Night[], region = 'r') {
  const objects = new Map<string, string>();
  const drains = new Map<string, DrainFacts>();
  const runs: { runId: string; asOf: number; rememberedFrom: object }[] = [];
  for (const night of nights) {
    const { daysAgo, accounts, settings = {}, ended = true, deadlineMs = 2 * hour, endsDaysAgo } = night;
    const asOf = now - daysAgo * day;
    const runId = newRunId(asOf, asOf);
    const all = { accounts: { kind: 'all' }, excludeAccounts: [], regions: 'enabled', tables: ['copy_jobs'] };
    const plan = accounts.map((account) => ({ table: 'copy_jobs', account_id: account, region }));
    const record = {
      format: 1,
      run_id: runId,
      as_of: new Date(asOf).toISOString(),
      ...(endsDaysAgo === undefined ? {} : { ends_by: new Date(now - endsDaysAgo * day).toISOString() }),
      buckets: 1,
      settings: { ...all, deadlineMs, ...settings },
      plan,
    };
    objects.set(beginKey(utcDay(asOf), runId), JSON.stringify(record));
    if (!ended) continue;
    objects.set(manifestKey(utcDay(asOf), runId), '{}');
    runs.push({ runId, asOf, rememberedFrom: {} });
    for (const account of accounts) {
      const known = drains.get(account) ?? well('copy_jobs', account, region, asOf);
      drains.set(account, { ...known, lastAsked: asOf, last: { ...known.last, runId, asOf } });
    }
  }
  const store: Pick<Store, 'read' | 'list'> = {
    read: async (key) => {
      const text = objects.get(key);
      return text === undefined ? null : { etag: '', size: text.length, bytes: Buffer.from(text) };
    },
    list: async function* (prefix, options) {
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
      const folder = (key: string) => key.slice(0, key.indexOf('/', prefix.length) + 1);
      yield* options?.folders === true ? new Set(keys.map(folder)) : keys;
    },
  };
  const coverage: CoverageFacts = {
    drains: [...drains.values()],
    runs: runs.sort((a, b) => a.asOf - b.asOf),
    accountNames: new Map(),
  };
  return { store, coverage };
}

function reading(store: Pick<Store, 'read' | 'list'>, unread = new UnreadObjects()): LedgerReading {
  return { store: { ...store, url: 'memory', head: async () => null }, unread, signal };
}

async function gone(nights: readonly Night[]): Promise<string[]> {
  const { store, coverage } = ledger(nights);
  return [...(await plannedNoMore(reading(store), coverage))].map(({ accountId }) => accountId).sort();
}

const listed = (...accountIds: string[]) => ({ accounts: { kind: 'listed', accountIds } });
const units = { accounts: { kind: 'units', unitIds: ['ou-1'] } };

it.each<[string, readonly Night[], readonly string[]]>([
  [
    'an account that left the organization',
    [
      { daysAgo: 3, accounts: ['1', '2'] },
      { daysAgo: 2, accounts: ['1'] },
      { daysAgo: 1, accounts: ['1'] },
    ],
    ['2'],
  ],
  [
    'an account that moved out of the unit that is read',
    [
      { daysAgo: 2, accounts: ['1', '2'], settings: units },
      { daysAgo: 1, accounts: ['1'], settings: units },
    ],
    ['2'],
  ],
  [
    'nothing, if a schedule of other accounts goes on: this one may have stopped',
    [
      { daysAgo: 9, accounts: ['3', '4'], settings: listed('3', '4') },
      { daysAgo: 9.1, accounts: ['1', '2', '3'], settings: listed('1', '2', '3') },
      { daysAgo: 1, accounts: ['1', '2', '3'], settings: listed('1', '2', '3') },
    ],
    [],
  ],
  [
    'nothing, if a weekly run reads the whole and a nightly one a part',
    [
      { daysAgo: 5, accounts: ['1', '2'] },
      { daysAgo: 1, accounts: ['1'], settings: listed('1') },
    ],
    [],
  ],
  [
    'nothing, if the account is left out by name: another schedule may read it',
    [
      { daysAgo: 2, accounts: ['1', '2'] },
      { daysAgo: 1, accounts: ['1'], settings: { excludeAccounts: ['2'] } },
    ],
    [],
  ],
  [
    'nothing, if other regions are read',
    [
      { daysAgo: 2, accounts: ['1', '2'], settings: { regions: ['r'] } },
      { daysAgo: 1, accounts: ['1'], settings: { regions: ['s'] } },
    ],
    [],
  ],
  [
    'an account that an earlier list named, once the whole organization is read without it',
    [
      { daysAgo: 2, accounts: ['2'], settings: listed('2') },
      { daysAgo: 1, accounts: ['1'] },
    ],
    ['2'],
  ],
  ['nothing, if every run plans all', [{ daysAgo: 1, accounts: ['1', '2'] }], []],
])('finds %s', async (_, nights, expected) => {
  expect(await gone(nights)).toEqual(expected);
});

it('finds runs that died, and those that may still be running', async () => {
  const { store, coverage } = ledger([
    { daysAgo: 60, accounts: ['1'], ended: false },
    { daysAgo: 2, accounts: ['1'] },
    { daysAgo: 1, accounts: ['1', '2'], ended: false },
    { daysAgo: 0.05, accounts: ['1'], ended: false },
  ]);
  const found = await unfinishedRuns(reading(store), coverage, now);
  expect(
    found.map(({ asOf, mayBeRunning, planned }) => [(now - asOf) / day, mayBeRunning, planned.length]),
  ).toEqual([
    [0.05, true, 1],
    [1, false, 2],
  ]);
});

it('does not call a shard dead that began hours after its night', async () => {
  const { store, coverage } = ledger([
    { daysAgo: 0.5, accounts: ['1'], ended: false, endsDaysAgo: -0.01 },
    { daysAgo: 0.4, accounts: ['2'], ended: false, endsDaysAgo: 0.01 },
  ]);
  const found = await unfinishedRuns(reading(store), coverage, now);
  expect(found.map(({ planned, mayBeRunning }) => [planned[0]?.accountId, mayBeRunning])).toEqual([
    ['2', false],
    ['1', true],
  ]);
});

it('counts a run whose coverage is written as ended, although its manifest is missing', async () => {
  const { store, coverage } = ledger([{ daysAgo: 1, accounts: ['1'], ended: false }]);
  const [run] = await unfinishedRuns(reading(store), coverage, now);
  if (run === undefined) throw new Error('no run');
  const ended = { ...coverage, runs: [{ runId: run.runId, asOf: run.asOf, rememberedFrom: {} }] };
  expect(await unfinishedRuns(reading(store), ended, now)).toEqual([]);
});

it('names begin records that cannot be read, and coverage that is gone although its run ended', async () => {
  const { store, coverage } = ledger([
    { daysAgo: 3, accounts: ['1'] },
    { daysAgo: 2, accounts: ['1'], ended: false },
    { daysAgo: 1, accounts: ['1'] },
  ]);
  const [without, last] = coverage.runs;
  if (without === undefined || last === undefined) throw new Error('no run');
  const garbled = { ...store, read: async () => ({ etag: '', size: 1, bytes: Buffer.from('{') }) };
  const unread = new UnreadObjects();
  const found = await unfinishedRuns(reading(garbled, unread), { ...coverage, runs: [last] }, now);
  expect(found).toEqual([]);
  expect(unread.list.map(({ key }) => key)).toEqual([
    expect.stringMatching(/^_ledger\/runs\/.*\.begin\.json$/),
    `export_coverage/run_date=${utcDay(without.asOf)}/${without.runId}.parquet`,
  ]);
});
