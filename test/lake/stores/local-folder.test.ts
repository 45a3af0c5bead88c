import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadFileLocks } from '../../../src/lake/file-lock.ts';
import { openLocalStore } from '../../../src/lake/stores/local.ts';
import type { Store } from '../../../src/lake/stores/store.ts';
import { LakeError, LinkError, ScratchError } from '../../../src/shared/errors.ts';
import { writeOf } from './described-store.ts';

const absent = { ifAbsent: true } as const;

async function listed(store: Store, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of store.list(prefix)) keys.push(key);
  return keys;
}

describe('a local store, in its folder', () => {
  let parent: string;
  let folder: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'bce-local-'));
    folder = join(parent, 'some', 'lake');
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  it('creates nothing when it only reads, and calls a folder that is not there empty', async () => {
    const store = await openLocalStore({ folder, create: false });
    expect(await store.read('a/b')).toBeNull();
    for await (const key of store.list('')) throw new Error(`listed ${key}`);
    await expect(store.put(writeOf('a/b', 'x', absent))).rejects.toThrow(LakeError);
    await store.close();
    expect(await readdir(parent)).toEqual([]);
  });

  it('lies where a person can read it, with nothing but objects and the ledger’s own lock', async () => {
    const store = await openLocalStore({ folder, create: true });
    await store.put(writeOf('table/day=1/part.parquet', 'x', absent));
    await store.close();
    expect(await readFile(join(folder, 'table/day=1/part.parquet'), 'utf8')).toBe('x');
    const files = (await readdir(folder, { recursive: true })).sort();
    expect(files).toEqual(
      ['_ledger', '_ledger/lock', '_ledger/tmp', 'table', 'table/day=1', 'table/day=1/part.parquet'].sort(),
    );
  });

  it.each(['table/day=1/part.parquet', 'table/day=1', 'table'])(
    'refuses %s when it is a link, to read, to write and to list',
    async (linked) => {
      const key = 'table/day=1/part.parquet';
      const store = await openLocalStore({ folder, create: true });
      await store.put(writeOf(key, 'x', absent));
      const outside = join(parent, 'outside');
      await rename(join(folder, linked), outside);
      await symlink(outside, join(folder, linked));
      const message = `${join(folder, linked)} in the lake ${folder} is a link to a place outside it`;
      await expect(store.read(key)).rejects.toThrow(message);
      await expect(store.download(key, join(parent, 'copy'))).rejects.toThrow(LinkError);
      await expect(store.put(writeOf(key, 'y', absent))).rejects.toThrow(LinkError);
      // What is only a file may be foreign: it is listed, and refused when it is read.
      if (linked === key) expect(await listed(store, 'table/')).toEqual([key]);
      else await expect(listed(store, 'table/')).rejects.toThrow(LinkError);
      await store.close();
    },
  );

  it('refuses links to nothing, to themselves and within the lake, and lists what is no plain file', async () => {
    const store = await openLocalStore({ folder, create: true });
    await store.put(writeOf('table/a', 'x', absent));
    await symlink('nowhere', join(folder, 'table/broken'));
    await symlink('loop', join(folder, 'table/loop'));
    await symlink('a', join(folder, 'table/b'));
    await once(spawn('mkfifo', [join(folder, 'table/pipe')]), 'exit');
    expect(await listed(store, 'table/')).toEqual(
      ['a', 'b', 'broken', 'loop', 'pipe'].map((name) => `table/${name}`),
    );
    await expect(store.read('table/broken')).rejects.toThrow(/is a link to nothing/);
    await expect(store.read('table/loop')).rejects.toThrow(/is a link to nothing/);
    await expect(store.read('table/b')).rejects.toThrow(/is a link to another place in it/);
    expect(await store.read('table/pipe')).toBeNull();
    await store.close();
  });

  it('may lie in a folder that is a link itself, named with a slash at its end or not', async () => {
    await mkdir(join(parent, 'real'));
    await symlink(join(parent, 'real'), join(parent, 'link'));
    for (const name of ['link', 'link/']) {
      const store = await openLocalStore({ folder: `${parent}/${name}`, create: true });
      await store.put(writeOf(`table/${name.length}`, 'x', absent));
      await store.close();
    }
    const store = await openLocalStore({ folder: join(parent, 'real'), create: false });
    expect(await listed(store, '')).toEqual(['table/4', 'table/5']);
  });

  it('lists no lock and no temporary file', async () => {
    const store = await openLocalStore({ folder, create: true });
    await store.put(writeOf('_ledger/lake.json', 'x', absent));
    const keys: string[] = [];
    for await (const key of store.list('')) keys.push(key);
    expect(keys).toEqual(['_ledger/lake.json']);
    await store.close();
  });

  it.each(['_ledger/lock', '_ledger/tmp', '_ledger/tmp/x'])(
    'does not give its own file %s away',
    async (key) => {
      const store = await openLocalStore({ folder, create: true });
      await expect(store.put(writeOf(key, 'x', absent))).rejects.toThrow(LakeError);
      await expect(store.read(key)).rejects.toThrow(LakeError);
      await store.close();
    },
  );

  it('clears away what a killed writer left, and leaves a living one alone', async () => {
    const description = JSON.stringify({ kind: 'local', folder });
    const program = join(import.meta.dirname, 'writer-process.ts');
    const dead = spawn(process.execPath, [program, description, 'k', 'replace'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(dead.stdout, 'data');
    const temporary = join(folder, '_ledger', 'tmp');
    await waitFor(() => existsSync(temporary) && existsSync(join(folder, 'k')));
    dead.kill('SIGKILL');
    await once(dead, 'exit');
    const [deadFolder = ''] = await readdir(temporary);
    await writeFile(join(temporary, deadFolder, 'left'), 'half a par');

    const living = await openLocalStore({ folder, create: true });
    await living.put(writeOf('mine', 'x', absent));
    const other = await openLocalStore({ folder, create: true });
    await other.put(writeOf('theirs', 'x', absent));
    const folders = await readdir(temporary);
    expect(folders).not.toContain(deadFolder);
    expect(folders).toHaveLength(2);
    expect((await living.put(writeOf('mine too', 'x', absent))).written).toBe(true);
    await living.close();
    await other.close();
    expect(await readdir(temporary)).toEqual([]);
  });

  it('leaves folders below _ledger/tmp alone that it did not make', async () => {
    await mkdir(join(folder, '_ledger', 'tmp', 'notes'), { recursive: true });
    const store = await openLocalStore({ folder, create: true });
    await store.put(writeOf('a', 'x', absent));
    await store.close();
    expect(await readdir(join(folder, '_ledger', 'tmp'))).toEqual(['notes']);
  });

  it('gives up waiting for a lock that is never released, and stops waiting when told to', async () => {
    const store = await openLocalStore({ folder, create: true, lockTimeoutMs: 50 });
    await store.put(writeOf('a', 'x', absent));
    const locks = await loadFileLocks();
    const lock = await locks?.tryAcquire(join(folder, '_ledger', 'lock'));
    if (!lock) throw new Error('not locked');
    await expect(store.put(writeOf('b', 'x', absent))).rejects.toThrow(/_ledger\/lock/);
    const patient = await openLocalStore({ folder, create: true });
    const stop = new AbortController();
    const waiting = patient.put(writeOf('b', 'x', absent), stop.signal);
    const reason = new Error('stop now');
    setTimeout(() => stop.abort(reason), 30);
    const other = patient.put(writeOf('c', 'x', absent));
    await expect(waiting).rejects.toBe(reason);
    const leaving = await openLocalStore({ folder, create: true });
    await lock.release();
    expect((await other).written).toBe(true);
    await leaving.put(writeOf('d', 'x', absent));
    const again = await locks?.tryAcquire(join(folder, '_ledger', 'lock'));
    await leaving.close();
    await again?.release();
    expect((await store.put(writeOf('b', 'x', absent))).written).toBe(true);
    await store.close();
    await patient.close();
  });

  it('says which file is in the way, and blames the disk that is at fault', async () => {
    await mkdir(parent, { recursive: true });
    await writeFile(join(parent, 'file'), '');
    await expect(openLocalStore({ folder: join(parent, 'file'), create: true })).rejects.toThrow(
      /Move it away/,
    );
    await expect(openLocalStore({ folder: join(parent, 'file'), create: false })).rejects.toThrow(LakeError);
    const store = await openLocalStore({ folder, create: true });
    await store.put(writeOf('a', 'x', absent));
    await expect(store.put(writeOf('a/b', 'x', absent))).rejects.toThrow(/Move it away/);
    await expect(store.download('a', join(parent, 'none', 'x'))).rejects.toThrow(ScratchError);
    await expect(store.download('a', '/dev/full')).rejects.toThrow(ScratchError);
    await store.close();
  });
});

async function waitFor(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
}
