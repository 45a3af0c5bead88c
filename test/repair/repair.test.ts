/** `repair` over a bucket that keeps versions, while others change the lake, and with versions that cannot be read. */
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import { newRunId, writeBegin } from '../../src/ledger/runs.ts';
import { lookAt } from '../../src/repair/look.ts';
import { runRepair } from '../../src/repair/repair.ts';
import type { RepairReport } from '../../src/repair/repair-report.ts';
import { parseRepairSettings } from '../../src/repair/repair-settings.ts';
import { UnavailableError } from '../../src/shared/errors.ts';
import { type Answer, refusal } from '../lake/stores/scripted-s3.ts';
import type { Flags } from '../support/lab.ts';
import { silentProgress } from '../support/silent-progress.ts';
import { keysIn } from '../verify/damage.ts';
import { makeNightLake, type NightLake } from '../verify/night-lake.ts';
import { startVersionedS3, type VersionedS3 } from './versioned-s3.ts';

let nights: NightLake;
/** The lake after each night. */
let folders: readonly string[];
beforeAll(async () => {
  nights = await makeNightLake();
  folders = [await nights.copy(1), await nights.copy(2), await nights.copy(3)];
}, 60_000);
afterAll(() => nights.close());

/** @param afterVerify called when the lake has been verified, and nothing applied yet */
async function repaired(flags: Flags, afterVerify: () => unknown = () => undefined): Promise<RepairReport> {
  const settings = parseRepairSettings({
    flags: { apply: 'true', ...flags },
    env: {},
    cwd: tmpdir(),
    temporaryFolder: tmpdir(),
    readFile: () => '',
  });
  const stopping = new AbortController().signal;
  const log = pino({ level: 'silent' });
  const io = { log, progress: silentProgress, stopping, programVersion: '0.0.0-test', now: Date.now };
  return await runRepair(settings, {
    ...io,
    verify: async () => {
      const look = await lookAt(settings, io);
      await afterVerify();
      return look;
    },
  });
}

const contentOf = (night: number, key: string) => readFileSync(join(String(folders[night - 1]), key));

/** Parts that each of these nights changed. */
function partsChangedBy(...changing: readonly number[]): readonly string[] {
  return keysIn(nth(folders, 0), 'copy_jobs').filter((key) =>
    changing.every((night) => !contentOf(night - 1, key).equals(contentOf(night, key))),
  );
}

function nth(list: readonly string[], at: number): string {
  const found = list.at(at);
  if (found === undefined) throw new Error('the lake is smaller than that');
  return found;
}

let s3: VersionedS3;
beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKID');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('AWS_REGION', 'us-west-2');
  s3 = await startVersionedS3();
  for (const folder of folders) s3.load(folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await s3.stop();
});
const repair = (flags: Flags = {}, afterVerify?: () => unknown) =>
  repaired({ lake: `s3://${s3.bucket}`, 's3-endpoint-url': s3.endpoint, ...flags }, afterVerify);

describe('in a bucket that keeps versions', () => {
  it('brings back what was rolled back, and what was deleted', async () => {
    const [rolledBack, deleted] = [nth(partsChangedBy(3), 0), nth(partsChangedBy(3), 1)];
    s3.put(rolledBack, contentOf(2, rolledBack));
    s3.remove(deleted);
    expect(await repair()).toMatchObject({ exit_code: 0, damage_left: 0, looks: 2 });
    for (const key of [rolledBack, deleted]) expect(s3.content(key)?.equals(contentOf(3, key))).toBe(true);
  });

  it.each([
    '_ledger/lake.json',
    '_ledger/watermarks/00000.json',
    '_ledger/creation-dates/00000.bin',
    'the oldest manifest',
    'the newest manifest',
    'the oldest begin record',
    'the newest begin record',
    'the newest checkpoint',
    'a page of the state',
    'rejected records',
    'a coverage file',
    'a part',
  ])('mends %s that says itself that it was altered, and whatever else is damaged', async (name) => {
    const [, age, kind] = /^(?:the )?(oldest|newest) (.*)$/.exec(name) ?? [];
    const folder = nth(folders, 2);
    const runs = keysIn(folder, '_ledger/runs').filter(
      (key) => key.endsWith('.begin.json') === (kind === 'begin record'),
    );
    const named: Readonly<Record<string, readonly string[]>> = {
      manifest: runs,
      'begin record': runs,
      checkpoint: keysIn(folder, '_ledger/checkpoints'),
      'a page of the state': keysIn(folder, '_ledger/lake-state'),
      'rejected records': keysIn(folder, '_ledger/rejected'),
      'a coverage file': keysIn(folder, 'export_coverage'),
      'a part': partsChangedBy(3),
    };
    const key = nth(named[kind ?? name] ?? [name], age === 'oldest' ? 0 : -1);
    s3.put(key, contentOf(3, key).subarray(1), '0'.repeat(64));
    const other = nth(partsChangedBy(3), 0);
    if (other !== key) s3.remove(other);
    const report = await repair();
    expect(report.objects.map((object) => object.key)).toContain(other);
    expect({ ...report, objects: [] }).toMatchObject({ exit_code: 0, damage_left: 0 });
    expect(s3.content(other)?.equals(contentOf(3, other))).toBe(true);
  });

  it.each([
    ['was rolled back', (key: string) => s3.put(key, contentOf(1, key))],
    ['was deleted', (key: string) => s3.remove(key)],
    ['was edited', (key: string) => s3.put(key, contentOf(2, key).subarray(1))],
  ])('leaves what an export merged into a part that %s, after it was verified', async (_, damage) => {
    await s3.stop();
    s3 = await startVersionedS3();
    for (const folder of folders.slice(0, 2)) s3.load(folder);
    const key = nth(partsChangedBy(2, 3), 0);
    damage(key);
    s3.put('copy_jobs/notes.txt', Buffer.from('somebody’s'));
    // The export of the third night, just before the damage is mended.
    s3.onRequest = ({ query }) => {
      if (query.has('versions') && query.get('prefix') === key) s3.load(nth(folders, 2));
      return undefined;
    };
    const report = await repair();
    expect(s3.content(key)?.equals(contentOf(3, key))).toBe(true);
    expect(report.objects).toContainEqual(
      expect.objectContaining({
        key,
        outcome: 'changed',
        advice: expect.stringMatching(/nothing was written\. .*run repair again$/),
      }),
    );
    // The rest was repaired, and so it looked again.
    expect(report).toMatchObject({ exit_code: 0, looks: 2 });
    expect(s3.content('copy_jobs/notes.txt')).toBeNull();
  });
});

it('looks again if nothing but one changed object is left: the change may have mended it', async () => {
  await s3.stop();
  s3 = await startVersionedS3();
  for (const folder of folders.slice(0, 2)) s3.load(folder);
  const key = nth(partsChangedBy(2, 3), 0);
  s3.put(key, contentOf(1, key));
  s3.onRequest = ({ query }) => {
    if (query.has('versions') && query.get('prefix') === key) s3.load(nth(folders, 2));
    return undefined;
  };
  expect(await repair()).toMatchObject({ exit_code: 0, damage_left: 0 });
  expect(s3.content(key)?.equals(contentOf(3, key))).toBe(true);
});

describe('with a version that cannot be read', () => {
  const archived: Answer = {
    ...refusal(403, 'InvalidObjectState'),
    body: '<Error><Code>InvalidObjectState</Code><Message>no</Message><StorageClass>GLACIER</StorageClass></Error>',
  };

  /** A part that was rolled back, and another one that was deleted. */
  function damaged(): readonly [string, string] {
    const [one, other] = [nth(partsChangedBy(3), 0), nth(partsChangedBy(3), 1)];
    s3.put(one, contentOf(2, one));
    s3.remove(other);
    return [one, other];
  }

  it.each<readonly [string, Answer, RegExp]>([
    [
      'is archived',
      archived,
      /archived \(GLACIER\)\. Restore it \(aws s3api restore-object .* --version-id v\d+ /,
    ],
    ['lost its key', refusal(400, 'KMS.DisabledException'), /the KMS key is disabled/],
    ['nobody may read', refusal(403, 'AccessDenied'), /Allow s3:GetObjectVersion/],
    ['has a key of its own', refusal(400, 'InvalidRequest'), /InvalidRequest/],
  ])('says so of a part whose right version %s, and repairs the others', async (_, refused, why) => {
    const [one, other] = damaged();
    s3.refuse(one, contentOf(3, one), refused);
    const report = await repair();
    expect(report).toMatchObject({ exit_code: 80, damage_left: 1, looks: 2 });
    expect(report.objects).toContainEqual({
      key: one,
      found: ['part-rolled-back'],
      outcome: 'person',
      advice: expect.stringMatching(why),
    });
    const [advice] = report.objects.flatMap((object) => (object.key === one ? [object.advice] : []));
    expect(advice).toMatch(
      /^what this object was may be in version v\d+ of 2026.*: .*then run repair again$/,
    );
    expect(s3.content(one)?.equals(contentOf(2, one))).toBe(true);
    expect(s3.content(other)?.equals(contentOf(3, other))).toBe(true);
  });

  it('says so of a part that is itself refused, and repairs the others', async () => {
    const [one, other] = damaged();
    s3.refuse(one, contentOf(2, one), archived);
    const report = await repair();
    // Nobody knows what it holds, so it is no damage.
    expect(report).toMatchObject({ exit_code: 74, damage_left: 0, looks: 2 });
    expect(report.objects).toContainEqual({
      key: one,
      found: [],
      outcome: 'unread',
      advice: expect.stringMatching(/^it could not be read: .*archived \(GLACIER\)\. Restore it/),
    });
    expect(s3.content(one)?.equals(contentOf(2, one))).toBe(true);
    expect(s3.content(other)?.equals(contentOf(3, other))).toBe(true);
  });

  it('says so even if the newest checkpoint names other bytes of that part', async () => {
    const [one, other] = damaged();
    for (const key of keysIn(nth(folders, 2), '_ledger/checkpoints').slice(-1)) s3.remove(key);
    s3.refuse(one, contentOf(2, one), archived);
    const report = await repair();
    expect(report.objects).toContainEqual(expect.objectContaining({ key: one, outcome: 'unread' }));
    expect(s3.content(other)?.equals(contentOf(3, other))).toBe(true);
  });

  it('ends if a part is refused for what concerns all of them', async () => {
    const [one] = damaged();
    s3.refuse(one, contentOf(2, one), refusal(400, 'ExpiredToken'));
    await expect(repair()).rejects.toThrow(/session credentials have expired/);
  });

  it('takes the same content from another version, or from the backup', async () => {
    const [one, other] = damaged();
    s3.put(one, contentOf(3, one));
    s3.refuse(one, contentOf(3, one), archived);
    s3.put(one, contentOf(2, one));
    s3.refuse(other, contentOf(3, other), archived);
    expect(await repair({ backup: nth(folders, 2) })).toMatchObject({ exit_code: 0 });
    for (const key of [one, other]) expect(s3.content(key)?.equals(contentOf(3, key))).toBe(true);
  });

  it('ends if nothing of the bucket can be read', async () => {
    const [one] = damaged();
    s3.refuse(one, contentOf(3, one), refusal(400, 'ExpiredToken'));
    await expect(repair()).rejects.toThrow(/session credentials have expired/);
  });

  it('is no lost content if only a link leads to it in the backup', async () => {
    const [lake, backup] = [await nights.copy(), await nights.copy()];
    const [one, other] = [nth(partsChangedBy(3), 0), nth(partsChangedBy(3), 1)];
    for (const key of [one, other]) writeFileSync(join(lake, key), contentOf(2, key));
    rmSync(join(backup, one));
    symlinkSync(join(nth(folders, 2), one), join(backup, one));
    const { objects } = await repaired({ lake, backup });
    expect(objects).toContainEqual(
      expect.objectContaining({ key: one, outcome: 'person', advice: expect.stringContaining('is a link') }),
    );
    expect(objects).toContainEqual(expect.objectContaining({ key: other, outcome: 'restored' }));
  });
});

describe('while a run is at work', () => {
  /** A run that began now, and may take an hour. */
  async function begin(lake: string): Promise<string> {
    const store = await openLocalStore({ folder: lake, create: true });
    const asOf = Date.now();
    const runId = newRunId(asOf, asOf);
    const now = new Date(asOf).toISOString();
    try {
      await writeBegin(store, {
        format: 1,
        run_id: runId,
        as_of: now,
        started_at: now,
        program_version: '0.0.0-test',
        buckets: 2,
        caller: { account_id: '111122223333', arn: 'arn:aws:iam::111122223333:user/test' },
        settings: { deadlineMs: 3_600_000 },
        plan: [],
      });
    } finally {
      await store.close();
    }
    return runId;
  }

  async function damaged(): Promise<{ readonly lake: string; readonly flags: Flags; readonly key: string }> {
    const lake = await nights.copy();
    const key = nth(partsChangedBy(3), 0);
    writeFileSync(join(lake, key), contentOf(2, key));
    return { lake, key, flags: { lake, backup: nth(folders, 2) } };
  }

  it('changes nothing, and does what a person insists on if the run is known to be dead', async () => {
    const { lake, key, flags } = await damaged();
    const runId = await begin(lake);
    let looks = 0;
    const refused = repaired(flags, () => {
      looks += 1;
    });
    await expect(refused).rejects.toThrow(UnavailableError);
    await expect(refused).rejects.toThrow(
      new RegExp(`^The run ${runId} began at .* has not ended.*add --ignore-unfinished-runs`),
    );
    expect(looks).toBe(0);
    expect(readFileSync(join(lake, key))).toEqual(contentOf(2, key));
    // A dry run changes nothing anyway.
    expect(await repaired({ ...flags, apply: 'false' })).toMatchObject({
      objects: [{ key, outcome: 'would-restore' }],
    });
    expect(await repaired({ ...flags, 'ignore-unfinished-runs': 'true' })).toMatchObject({
      objects: [{ key, outcome: 'restored' }],
    });
    expect(readFileSync(join(lake, key))).toEqual(contentOf(3, key));
  });

  it('applies no finding of a look during which a run began', async () => {
    const { lake, key, flags } = await damaged();
    const refused = repaired({ ...flags, 'ignore-unfinished-runs': 'true' }, () => begin(lake));
    await expect(refused).rejects.toThrow(UnavailableError);
    await expect(refused).rejects.toThrow(/^The run .* began while .* was being verified/);
    expect(readFileSync(join(lake, key))).toEqual(contentOf(2, key));
  });
});
