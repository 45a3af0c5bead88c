/** A lake that somebody has changed: copies, links, swapped and broken parts, edited ledgers. */
import { copyFile, cp, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scenario } from '../scenario.ts';
import type { World } from '../world.ts';

const kind = 'a damaged lake';
const damaged = { kind, cause: 'lake', lake: 'local', way: 'endpoint' } as const;
const everything = { flags: { since: 'all' } } as const;

/** The folders of copy_jobs, oldest first: no later run adds one before them. */
async function days({ lakeFolder }: World): Promise<string[]> {
  const names = (await readdir(join(lakeFolder, 'copy_jobs'))).sort();
  return names.map((name) => join(lakeFolder, 'copy_jobs', name));
}

async function dayOf(world: World, nth: number): Promise<string> {
  const found = (await days(world))[nth];
  if (found === undefined) throw new Error('the lake has fewer days');
  return found;
}

const part = 'part-00000.parquet';
const kept = (world: World) => join(world.folder, 'kept');

/** Does something to the file, and keeps it as it was. */
async function change(world: World, key: string, how: (file: string) => Promise<void>): Promise<void> {
  const file = join(world.lakeFolder, key);
  await cp(file, kept(world));
  await how(file);
}

async function putBack(world: World, key: string): Promise<void> {
  await rm(join(world.lakeFolder, key), { force: true, recursive: true });
  await cp(kept(world), join(world.lakeFolder, key));
}

async function keyOf(world: World, nth: number): Promise<string> {
  return join((await dayOf(world, nth)).slice(world.lakeFolder.length + 1), part);
}

/** A day's part is broken, told of, and put back. */
function brokenPart(name: string, how: (file: string) => Promise<void>, quick = false): Scenario {
  return {
    ...damaged,
    name,
    quick,
    nights: () => [
      {
        before: async (world) => await change(world, await keyOf(world, 3), how),
        codes: [74],
        run: everything,
        statuses: { some: ['PUBLISH_FAILED'] },
        says: [/part-00000\.parquet.*damaged/],
        damage: { unreadable: /^copy_jobs/, missing: /^copy_jobs/ },
      },
    ],
    mend: async (world) => await putBack(world, await keyOf(world, 3)),
  };
}

/** A file that is no part of this lake lies below a table: named, never read, never touched. */
function foreign(name: string, file: string, quick = false): Scenario {
  const pattern = new RegExp(file.replaceAll(/[.()]/g, '\\$&'));
  const left = { foreign: pattern, misplaced: pattern };
  return {
    ...damaged,
    name,
    quick,
    nights: () => [
      {
        before: async (world) => {
          const folder = await dayOf(world, 5);
          await copyFile(join(folder, part), join(folder, file));
        },
        codes: [0],
        run: everything,
        says: [pattern],
        damage: left,
      },
    ],
    mend: (world) => removed(world, file),
  };
}

async function removed(world: World, file: string): Promise<void> {
  for (const day of await days(world)) await rm(join(day, file), { force: true });
}

function editedRecord(
  name: string,
  edit: (record: Record<string, unknown>) => unknown,
  codes: readonly number[],
): Scenario {
  const key = '_ledger/lake.json';
  return {
    ...damaged,
    name,
    nights: () => [
      {
        before: (world) =>
          change(world, key, async (file) => {
            const record: unknown = JSON.parse(await readFile(file, 'utf8'));
            await writeFile(file, JSON.stringify(edit({ ...Object(record) })));
          }),
        codes,
        run: everything,
        says: [/lake\.json/],
        damage: { ledger: /lake\.json/, misplaced: /./ },
      },
    ],
    mend: (world) => putBack(world, key),
  };
}

export const damage: readonly Scenario[] = [
  foreign('a-copy-beside-a-part', 'part-00000 (1).parquet', true),
  foreign('a-part-of-a-bucket-that-is-not-there', 'part-00007.parquet'),
  foreign('a-sync-conflict-beside-a-part', 'part-00000.sync-conflict-20261119.parquet'),
  brokenPart('a-part-is-truncated', (file) => truncate(file, 700), true),
  brokenPart('a-part-is-empty', (file) => truncate(file, 0)),
  brokenPart('a-part-is-a-page-of-html', (file) => writeFile(file, '<html>gone</html>')),
  {
    ...damaged,
    name: 'two-parts-are-swapped',
    quick: true,
    nights: () => [
      {
        before: async (world) => swapped(world),
        codes: [74],
        run: everything,
        statuses: { some: ['PUBLISH_FAILED'] },
        says: [/part-00000\.parquet.*damaged|belong/],
        damage: { misplaced: /^copy_jobs/, missing: /^copy_jobs/ },
      },
    ],
    mend: swapped,
  },
  {
    ...damaged,
    name: 'a-part-lies-in-another-day-too',
    nights: () => [
      {
        before: async (world) => {
          const key = await keyOf(world, 3);
          const source = join(await dayOf(world, 4), part);
          await change(world, key, (file) => copyFile(source, file));
        },
        codes: [74],
        run: everything,
        statuses: { some: ['PUBLISH_FAILED'] },
        says: [/part-00000\.parquet.*damaged|belong/],
        damage: { misplaced: /^copy_jobs/, missing: /^copy_jobs/ },
      },
    ],
    mend: async (world) => await putBack(world, await keyOf(world, 3)),
  },
  editedRecord('the-bucket-count-is-edited', (record) => ({ ...record, buckets: 2 }), [74]),
  editedRecord('the-record-of-the-lake-is-no-object', () => 'lake', [74]),
  {
    ...damaged,
    name: 'the-record-of-the-lake-is-deleted',
    nights: () => [
      {
        before: (world) => change(world, '_ledger/lake.json', (file) => rm(file)),
        codes: [74],
        says: [/lake\.json/],
      },
    ],
    mend: (world) => putBack(world, '_ledger/lake.json'),
  },
  {
    ...damaged,
    name: 'a-day-is-a-link',
    nights: () => [
      {
        before: async (world) => {
          const day = await dayOf(world, 3);
          const elsewhere = join(world.folder, 'elsewhere');
          await rename(day, elsewhere);
          await symlink(elsewhere, day);
        },
        codes: [74],
        run: everything,
        says: [/link/],
        damage: { missing: /^copy_jobs/, foreign: /^copy_jobs/, watermarks: true },
      },
    ],
    mend: async (world) => {
      const day = await dayOf(world, 3);
      await rm(day);
      await rename(join(world.folder, 'elsewhere'), day);
    },
  },
  {
    ...damaged,
    name: 'a-part-is-a-link',
    nights: () => [
      {
        before: async (world) =>
          await change(world, await keyOf(world, 3), async (file) => {
            await rm(file);
            await symlink(kept(world), file);
          }),
        codes: [74],
        run: everything,
        says: [/link/],
      },
    ],
    mend: async (world) => {
      const file = join(world.lakeFolder, await keyOf(world, 3));
      await rm(file);
      await copyFile(kept(world), file);
    },
  },
  {
    ...damaged,
    name: 'watermarks-are-garbage',
    nights: () => [
      {
        before: ({ lakeFolder }) =>
          writeFile(join(lakeFolder, '_ledger/watermarks/00000.json'), '{"format":1,'),
        codes: [0],
        says: [/watermarks are damaged/],
      },
    ],
  },
  {
    ...damaged,
    name: 'manifests-are-garbage',
    nights: () => [
      {
        before: async ({ lakeFolder }) => {
          const runs = join(lakeFolder, '_ledger/runs');
          const names = await readdir(runs, { recursive: true });
          const manifests = names.filter((name) => /[0-9a-f]\.json$/.test(name) && !name.includes('begin'));
          for (const name of manifests) await writeFile(join(runs, name), 'gone');
        },
        codes: [0],
        damage: { ledger: /_ledger\/runs/ },
      },
    ],
    left: { ledger: /_ledger\/runs/ },
  },
];

async function swapped(world: World): Promise<void> {
  const [one, other] = [join(await dayOf(world, 3), part), join(await dayOf(world, 4), part)];
  const between = join(world.folder, 'between');
  await rename(one, between);
  await rename(other, one);
  await rename(between, other);
}
