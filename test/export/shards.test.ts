import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, expect, it } from 'vitest';
import { bucketOf, parseHandedOverKey } from '../../src/lake/layout.ts';
import { openStore } from '../../src/lake/stores/open-store.ts';
import { parseManifest } from '../../src/ledger/read-runs.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { told, verified } from '../verify/night-lake.ts';

let lab: Lab;
afterEach(() => lab.close());

/** Which shards wrote each part, by the manifests. */
async function writersOf(of: Lab): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const writers = new Map<string, Set<number>>();
  for (const name of await of.ledger('runs')) {
    if (name.endsWith('.begin.json')) continue;
    const bytes = await readFile(join(of.lake, '_ledger/runs', name));
    const { shard } = JSON.parse(bytes.toString('utf8')) as { shard?: { index: number } };
    for (const { key } of parseManifest(bytes)?.parts ?? []) {
      writers.set(key, (writers.get(key) ?? new Set()).add(shard?.index ?? -1));
    }
  }
  return writers;
}

async function handedOverKeys(of: Lab): Promise<{ rows: string[]; taken: string[] }> {
  const store = await openStore(
    { kind: 'local', folder: of.lake },
    { create: false, log: pino({ level: 'silent' }), endpointUrl: null, expectedBucketOwner: null },
  );
  try {
    const keys: string[] = [];
    for await (const key of store.list('_ledger/handed-over/')) keys.push(key);
    return {
      rows: keys.filter((key) => parseHandedOverKey(key) !== null),
      taken: keys.filter((key) => key.endsWith('.taken')),
    };
  } finally {
    await store.close();
  }
}

it('shards of one night share its as-of, write parts of their own only, and end at the truth', async () => {
  lab = await openLab({ accounts: 6, regions: 2, days: 2, listInDestination: true });
  const runs = await Promise.all(
    [0, 1, 2].map((index) => lab.run({ shard: `${index}/3`, night: 'night-1' })),
  );
  expect(runs.map(({ exit_code: code }) => code)).toEqual([0, 0, 0]);
  expect(new Set(runs.map(({ as_of: asOf }) => asOf)).size).toBe(1);
  expect(await lab.differences()).toEqual([]);
  const writers = await writersOf(lab);
  expect(writers.size).toBeGreaterThan(6);
  for (const [key, shards] of writers) expect([key, shards.size]).toEqual([key, 1]);
  const { rows, taken } = await handedOverKeys(lab);
  expect(rows.length).toBeGreaterThan(0);
  expect(taken.length).toBe(rows.length);
  expect(told(await verified(lab.lake))).toEqual([]);
  const status = await lab.status();
  expect(status.verdict).toBe('proven');
  expect(status.totals).toMatchObject({ accounts: 6, planned_no_more: 0 });
});

it('a shard whose clock is behind that of the first has the as-of of the night too', async () => {
  lab = await openLab({ accounts: 2, regions: 1, days: 1 });
  const asOf = new Date(lab.simulator.now() + 2000).toISOString();
  const night = { format: 1, night: 'n', as_of: asOf, shards: 2, created_by_run: 'another' };
  await mkdir(join(lab.lake, '_ledger/nights'), { recursive: true });
  await writeFile(join(lab.lake, '_ledger/nights/n.json'), JSON.stringify(night));
  const run = await lab.run({ shard: '0/2', night: 'n' });
  expect([run.exit_code, run.as_of]).toEqual([0, asOf]);
});

it('a shard that begins late says when it ends itself, not when its night would', async () => {
  lab = await openLab({ accounts: 2, regions: 1, days: 1 });
  await lab.run({ shard: '0/2', night: 'n', deadline: '1h' });
  await lab.simulator.advance(5 * 3_600_000);
  await lab.run({ shard: '1/2', night: 'n', deadline: '1h' });
  const hours: number[] = [];
  for (const name of (await lab.ledger('runs')).filter((one) => one.endsWith('.begin.json')).sort()) {
    // Safe: the runs wrote it just now.
    const said = JSON.parse(await readFile(join(lab.lake, '_ledger/runs', name), 'utf8')) as Record<
      string,
      string
    >;
    hours.push((Date.parse(said.ends_by ?? '') - Date.parse(said.as_of ?? '')) / 3_600_000);
  }
  expect(hours.map((one) => Math.floor(one))).toEqual([1, 6]);
});

it('rows of accounts that no shard reads are merged too, by whichever shard ends last', async () => {
  lab = await openLab({ accounts: 4, regions: 2, days: 2, listInDestination: true });
  const alone = `${lab.folder}/alone`;
  await lab.run({ lake: alone });
  const all = await lab.tableOf(alone, 'copy_jobs');
  // Only the destination of cross-account copies is read: whoever owns them is in no shard.
  const owners = new Set(all.map(({ account_id: id }) => String(id)));
  const hub =
    all
      .map(({ destination_account_id: id }) => String(id))
      .find((id, at) => id !== all[at]?.account_id && owners.has(id)) ?? '';
  const selection = { 'exclude-accounts': [...owners].filter((id) => id !== hub).join(',') };
  const apart = `${lab.folder}/apart`;
  await lab.run({ ...selection, lake: apart });
  const expected = await lab.tableOf(apart, 'copy_jobs');
  // One after the other: the second hands over to the first, whose run has ended.
  const last = bucketOf(hub, 2);
  for (const shard of [`${1 - last}/2`, `${last}/2`])
    expect((await lab.run({ ...selection, shard })).exit_code).toBe(0);
  const ids = (rows: typeof expected) => rows.map(({ copy_job_id: id }) => String(id)).sort();
  expect(ids(await lab.table('copy_jobs'))).toEqual(ids(expected));
  const foreign = expected.filter(({ account_id: id }) => bucketOf(String(id), 2) !== last);
  expect(foreign.length).toBeGreaterThan(0);
  const { rows, taken } = await handedOverKeys(lab);
  expect(taken.length).toBe(rows.length);
  for (const [key, shards] of await writersOf(lab)) expect([key, shards.size]).toEqual([key, 1]);
  expect(told(await verified(lab.lake))).toEqual([]);
});

it('a shard without accounts ends well, and more shards than buckets are refused before anything is read', async () => {
  lab = await openLab({ accounts: 1, regions: 1, days: 1 });
  const runs = [await lab.run({ shard: '0/2' }), await lab.run({ shard: '1/2' })];
  expect(runs.map(({ exit_code: code }) => code)).toEqual([0, 0]);
  expect(runs.map(({ targets }) => targets).sort()).toEqual([0, 1]);
  expect(await lab.differences()).toEqual([]);
  const pages = () =>
    lab.simulator.requests().recent.filter(({ api }) => api.startsWith('ListCopyJob')).length;
  const read = pages();
  expect(read).toBeGreaterThan(0);
  await expect(lab.run({ shard: '2/3' })).rejects.toMatchObject({
    exitCode: 64,
    message: expect.stringMatching(/3 shards cannot share the 2 buckets .* rebucket --buckets 3/),
  });
  expect(pages()).toBe(read);
  // A night has one as-of, and one number of shards.
  await lab.run({ shard: '0/2', night: 'n' });
  await expect(lab.run({ shard: '0/1', night: 'n' })).rejects.toMatchObject({ exitCode: 64 });
  await lab.simulator.advance(86_400_000);
  await expect(lab.run({ shard: '0/2', night: 'n' })).rejects.toThrow(/more than 20 hours ago/);
});
