import { cpSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subsetOf } from '../../src/verify/scope.ts';
import { makeKey } from '../checkpoints/signed-lake.ts';
import { forgeChain, forgeLedger, keysIn, remove, rewritePart } from './damage.ts';
import { at, contents, damages, dayOf, part } from './damages.ts';
import { makeNightLake, type NightLake, told, verified } from './night-lake.ts';

let nights: NightLake;
/** Keys of the whole lake. */
let whole: string;
beforeAll(async () => {
  nights = await makeNightLake();
  whole = await nights.copy();
}, 60_000);
afterAll(() => nights.close());

describe('a whole lake', () => {
  it('is clean after real nights', async () => {
    const report = await verified(whole);
    expect(told(report)).toEqual([]);
    expect(report).toMatchObject({
      exit_code: 0,
      verdict: 'clean',
      complete: true,
      parts_without_manifest: 0,
    });
    expect(report.checked).toMatchObject({
      runs: 3,
      manifests: 3,
      unfinished_runs: 0,
      coverage_files: 3,
      rejected_files: 1,
    });
    expect(report.checked.parts).toBe(report.parts_in_lake);
    expect(report.checked.watermarks).toBe(4);
  });

  it('is clean if an earlier version wrote it', async () => {
    const report = await verified(new URL('../fixtures/lake-a2285a0', import.meta.url).pathname);
    expect(told(report)).toEqual([]);
    expect(report.checked).toMatchObject({ runs: 2, parts: 14, rows: 67 });
  });
});

describe('damage', () => {
  it.each([
    'a part was deleted',
    'two parts were swapped',
    'a foreign file lies beside a part',
    'a manifest was deleted',
    'the newest manifest was deleted',
    'the newest manifest was edited',
    'an older begin record is no JSON',
    'an older begin record was edited',
    'files that are none of this program’s lie in the ledger',
    'a watermark was moved forward',
  ])('%s: this is found, and nothing else', async (name) => {
    const lake = await nights.copy();
    const expected = await damages[name]?.(lake);
    const report = await verified(lake);
    expect([...told(report)].sort()).toEqual([...(expected ?? [])].sort());
    expect(report).toMatchObject({ exit_code: 80, verdict: 'damaged' });
  });

  it.each(['a row is there twice', 'a minimum is wrong'])(
    '%s: the SHA-256 shows it, and so do the rows',
    async (name) => {
      const lake = await nights.copy();
      const key = part(lake);
      const content = contents[name];
      await content?.make(lake, key);
      expect([...told(await verified(lake))].sort()).toEqual([
        `part-changed ${key}`,
        `${content?.kind} ${key}`,
      ]);
    },
  );
});

describe('with signed checkpoints', () => {
  const proofs = () => ({ 'public-key': nights.key.publicFile, witness: nights.witness });

  it('a whole lake is proven, and the verdict says by how many signatures and copies', async () => {
    const report = await verified(whole, proofs());
    expect(told(report)).toEqual([]);
    expect(report.checked).toMatchObject({ checkpoints: 3, signed_checkpoints: 3, witness_copies: 3 });
    expect(report.not_proven).toEqual([expect.stringContaining('what AWS showed')]);
  });

  it('a lake that was put back as a whole is found by the witness, and only by it', async () => {
    const lake = await nights.copy(2);
    expect(told(await verified(lake, { 'public-key': nights.key.publicFile }))).toEqual([]);
    expect(told(await verified(lake, proofs()))).toEqual([
      'checkpoint-rolled-back _ledger/checkpoints/00000/00000003.json',
    ]);
  });

  it('a newest run that was removed with all that it wrote is found by the witness', async () => {
    const [lake, before] = [await nights.copy(), await nights.copy(2)];
    const kept = new Set(keysIn(before, '.').map((key) => key.replace(/^\.\//, '')));
    for (const key of keysIn(lake, '.')) if (!kept.has(key)) remove(lake, key);
    for (const key of kept) cpSync(join(before, key), join(lake, key));
    const report = await verified(lake, proofs());
    expect(told(report)).toEqual(['checkpoint-rolled-back _ledger/checkpoints/00000/00000003.json']);
  });

  it('a chain that another key has signed is forged, from its first checkpoint on', async () => {
    const other = await makeKey(await nights.copy(), 'other');
    const report = await verified(await nights.copy(), { 'public-key': other.publicFile });
    expect(told(report)).toEqual(
      [1, 2, 3].map((number) => `checkpoint-forged _ledger/checkpoints/00000/0000000${number}.json`),
    );
    expect(report.exit_code).toBe(80);
  });

  it('a ledger without checkpoints is damage if there is a key, however well it was forged', async () => {
    const lake = await nights.copy();
    forgeChain(lake);
    expect(told(await verified(lake))).toEqual([]);
    expect(told(await verified(lake, proofs()))).toEqual([
      ...[1, 2, 3].map((number) => `checkpoint-rolled-back _ledger/checkpoints/00000/0000000${number}.json`),
      'checkpoint-unsigned _ledger/checkpoints/',
    ]);
  });

  it('a part that was edited together with all manifests is found by the newest checkpoint', async () => {
    const lake = await nights.copy();
    const key = part(lake);
    await rewritePart(lake, key, 'FROM part ORDER BY account_id, region, creation_time, copy_job_id');
    forgeLedger(lake, key);
    for (const folder of ['checkpoints', 'lake-state']) {
      cpSync(join(whole, '_ledger', folder), join(lake, '_ledger', folder), { recursive: true });
    }
    const findings = told(await verified(lake, proofs()));
    expect(findings).toContain(`object-unproven ${key}`);
    const forged = findings.filter((one) => !one.startsWith('object-unproven '));
    expect(forged.length).toBeGreaterThan(0);
    expect(forged.every((one) => one.startsWith('manifest-changed '))).toBe(true);
  });
});
describe('a look at a part of the lake', () => {
  const newest = () => at(keysIn(whole, 'copy_jobs'), -1);

  it('slices are disjoint, and together the whole lake', async () => {
    const slices = [];
    for (const slice of ['1/3', '2/3', '3/3']) slices.push(await verified(whole, { subset: slice }));
    const parts = slices.map(({ checked }) => checked.parts);
    expect(parts.reduce((sum, one) => sum + one, 0)).toBe(slices[0]?.parts_in_lake);
    expect(Math.max(...parts)).toBeLessThan(slices[0]?.parts_in_lake ?? 0);
    expect(slices.map(({ checked }) => checked.watermarks).reduce((sum, one) => sum + one, 0)).toBe(4);
    expect(slices.flatMap(told)).toEqual([]);
  });

  it('thirty days in a row have the thirty slices', async () => {
    const days = Array.from({ length: 30 }, (_, day) => Date.UTC(2026, 1, 20 + day, 5));
    expect(new Set(days.map((day) => subsetOf({ number: null, of: 30 }, day).number)).size).toBe(30);
    const report = await verified(whole, { subset: 'today/3' }, () => Date.UTC(2026, 10, 23, 5));
    expect(report.subset).toEqual(subsetOf({ number: null, of: 3 }, Date.UTC(2026, 10, 23)));
  });

  it('an edited part is found in its slice, a missing one in every slice', async () => {
    const lake = await nights.copy();
    const [edited, gone] = [part(lake, 0), part(lake, 1)];
    truncateSync(join(lake, edited), 100);
    remove(lake, gone);
    const found = [];
    for (const slice of ['1/2', '2/2']) found.push(...told(await verified(lake, { subset: slice })));
    expect(found.sort()).toEqual([
      `part-missing ${gone}`,
      `part-missing ${gone}`,
      `part-unreadable ${edited}`,
    ]);
  });

  it('--since reads the days from then on, and says that it left out the others', async () => {
    const lake = await nights.copy();
    const old = at(keysIn(lake, 'copy_jobs'), 0);
    truncateSync(join(lake, old), 100);
    const report = await verified(lake, { since: dayOf(newest()) });
    expect(told(report)).toEqual([]);
    expect(report.checked.parts).toBeLessThan(report.parts_in_lake);
    expect(report.not_proven[0]).toContain(`before ${dayOf(newest())} were not read`);
  });

  it('--quick finds a part of another size and a missing one without reading the others', async () => {
    const lake = await nights.copy();
    const [cut, gone] = [part(lake, 0), part(lake, 1)];
    truncateSync(join(lake, cut), 100);
    remove(lake, gone);
    const report = await verified(lake, { quick: 'true' });
    expect(told(report)).toEqual([`part-missing ${gone}`, `part-unreadable ${cut}`]);
    expect(report.checked).toMatchObject({ parts: report.parts_in_lake - 2, watermarks: 0 });
    expect(report.not_proven[0]).toContain('--quick');
  });

  it('a look that runs out of time leaves its place, and the next ones end the round with all findings', async () => {
    const lake = await nights.copy();
    const [first, last] = [at(keysIn(lake, 'copy_job_summaries'), 0), newest()];
    for (const key of [first, last]) truncateSync(join(lake, key), 100);
    const flags = { 'max-duration': '1s', 'resume-file': join(await nights.copy(), 'place.json') };
    // Each look at the clock takes a quarter of a second.
    const clock = () => {
      let time = 0;
      return () => {
        time += 250;
        return time;
      };
    };
    const looks = [await verified(lake, flags, clock())];
    while (looks.at(-1)?.complete === false) looks.push(await verified(lake, flags, clock()));
    expect(looks.length).toBeGreaterThan(2);
    expect(told(at(looks, 0))).toEqual([`part-unreadable ${first}`]);
    expect(at(looks, 0).not_proven[0]).toContain('--max-duration');
    expect(told(at(looks, -1))).toEqual([`part-unreadable ${first}`, `part-unreadable ${last}`]);
    expect(at(looks, -1).checked.parts).toBe(at(looks, -1).parts_in_lake - 2);
    // The next round begins anew.
    expect((await verified(lake, flags, clock())).complete).toBe(false);
    await expect(verified(lake, { ...flags, quick: 'true' })).rejects.toThrow('belongs to a look');
  });

  it('a place of yesterday’s slice is none of today’s', async () => {
    const flags = { 'max-duration': '1ms', 'resume-file': join(await nights.copy(), 'place.json') };
    const today = { ...flags, subset: 'today/2' };
    const at5 = (day: number) => {
      let time = Date.UTC(2026, 10, day, 5);
      return () => {
        time += 1;
        return time;
      };
    };
    expect((await verified(whole, today, at5(23))).checked.parts).toBe(0);
    expect((await verified(whole, { ...today, 'max-duration': '1h' }, at5(24))).complete).toBe(true);
    await expect(verified(whole, flags)).rejects.toThrow('belongs to a look');
  });

  it.each(['place.json', 'copy_jobs/place.json'])(
    '--resume-file may not lie in the lake: %s',
    async (name) => {
      const flags = { 'max-duration': '1h', 'resume-file': join(whole, name) };
      await expect(verified(whole, flags)).rejects.toThrow(/--resume-file names .* lies in the lake/);
    },
  );

  it('a private key as --public-key is refused, and nothing of it is told', async () => {
    const error: unknown = await verified(whole, { 'public-key': nights.key.privateFile }).catch(
      (one) => one,
    );
    expect(error).toMatchObject({ exitCode: 64, message: expect.stringContaining('is a private key') });
    const secret = readFileSync(nights.key.privateFile, 'utf8').split('\n')[1] ?? 'none';
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
  });

  it('a witness that is a file: the message speaks of --witness', async () => {
    const witness = join(whole, '_ledger/lake.json');
    const elsewhere = await nights.copy();
    await expect(verified(elsewhere, { witness })).rejects.toThrow(/set --witness to another folder/);
  });

  it('no more parts are read than there are, also when some are named by no manifest', async () => {
    const lake = await nights.copy();
    for (const name of ['a part was copied to a day that has none', 'a part without a run was added']) {
      await damages[name]?.(lake);
    }
    const { checked, parts_in_lake: all } = await verified(lake);
    expect(checked.parts).toBeLessThanOrEqual(all);
    const slice = await verified(lake, { subset: '1/9' });
    expect(slice.parts_in_lake).toBe(all);
  });

  it('--max-duration needs a place to keep', async () => {
    await expect(verified(whole, { 'max-duration': '1h' })).rejects.toThrow('--resume-file');
  });

  it('a folder without a lake is no clean lake', async () => {
    await expect(verified(join(whole, 'copy_jobs'))).rejects.toThrow('There is no lake');
  });
});
