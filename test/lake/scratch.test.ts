import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openScratch } from '../../src/lake/scratch.ts';
import { ScratchError } from '../../src/shared/errors.ts';

const limitBytes = 1000;

describe('scratch', () => {
  let parent: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'bce-scratch-'));
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  const folders = async () => (await readdir(parent)).filter((name) => !name.startsWith('.')).sort();

  it('is a folder of the run’s own, and gone when it is removed', async () => {
    const scratch = await openScratch({ parent: join(parent, 'deep', 'er'), runId: 'one', limitBytes });
    await writeFile(join(scratch.folder, 'x'), 'y');
    await scratch.remove();
    expect(await readdir(join(parent, 'deep', 'er'))).toEqual([
      expect.stringMatching(/^\.backup-copy-export/),
    ]);
  });

  it('leaves it at a warning when it cannot be removed', async () => {
    const warnings: unknown[] = [];
    const log = { info: () => undefined, warn: (details: unknown) => warnings.push(details) };
    const scratch = await openScratch({ parent, runId: 'one', limitBytes, log });
    // A file lies where its folder was: there is nothing to be removed in a file.
    await rm(parent, { recursive: true });
    await writeFile(parent, '');
    await scratch.remove();
    expect(warnings).toMatchObject([{ folder: scratch.folder }]);
  });

  it('keeps count of what is reserved, and refuses more than its limit', async () => {
    const scratch = await openScratch({ parent, runId: 'one', limitBytes });
    const release = scratch.reserve(600);
    expect(() => scratch.reserve(401)).toThrow(ScratchError);
    const other = scratch.reserve(400);
    expect(scratch.bytes()).toBe(1000);
    release();
    release();
    expect(scratch.bytes()).toBe(400);
    other();
    expect(scratch.bytes()).toBe(0);
    await scratch.remove();
  });

  it('lets one that does not know how much it needs have a quarter, and never more than half of what is left', async () => {
    const scratch = await openScratch({ parent, runId: 'one', limitBytes });
    const all = scratch.claim();
    expect([all.bytes, scratch.bytes()]).toEqual([250, 250]);
    all.release();
    all.release();
    expect(scratch.bytes()).toBe(0);
    scratch.reserve(900);
    const little = scratch.claim();
    expect(little.bytes).toBe(50);
    scratch.reserve(50);
    expect(scratch.claim().bytes).toBe(0);
    await scratch.remove();
  });

  it('clears away what a killed run left, and leaves a living run alone', async () => {
    const living = await openScratch({ parent, runId: 'living', limitBytes });
    const source = `
      const { openScratch } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/lake/scratch.ts'))});
      const { folder } = await openScratch({ parent: process.argv[1], runId: 'dead', limitBytes: 1 });
      (await import('node:fs')).writeFileSync(folder + '/staged.ndjson', 'rows');
      process.stdout.write('ready');
      setInterval(() => undefined, 1000);`;
    const dead = spawn(process.execPath, ['--input-type=module', '-e', source, parent], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(dead.stdout, 'data');
    const second = await openScratch({ parent, runId: 'second', limitBytes });
    expect(await folders()).toEqual([
      'backup-copy-export-dead',
      'backup-copy-export-living',
      'backup-copy-export-second',
    ]);
    dead.kill('SIGKILL');
    await once(dead, 'exit');
    const third = await openScratch({ parent, runId: 'third', limitBytes });
    expect(await folders()).toEqual([
      'backup-copy-export-living',
      'backup-copy-export-second',
      'backup-copy-export-third',
    ]);
    for (const scratch of [living, second, third]) await scratch.remove();
  });

  it('leaves alone what it did not make, whatever its name', async () => {
    await mkdir(join(parent, 'elsewhere'));
    await writeFile(join(parent, 'elsewhere', 'thesis'), 'x');
    await symlink(join(parent, 'elsewhere'), join(parent, 'backup-copy-export-link'));
    await mkdir(join(parent, 'backup-copy-export-notes'));
    await writeFile(join(parent, 'backup-copy-export-notes', 'notes'), 'x');
    await writeFile(join(parent, 'backup-copy-export-file'), 'x');
    await (await openScratch({ parent, runId: 'one', limitBytes })).remove();
    expect(await readdir(join(parent, 'elsewhere'))).toEqual(['thesis']);
    expect(await readdir(join(parent, 'backup-copy-export-notes'))).toEqual(['notes']);
    expect(await folders()).toEqual([
      'backup-copy-export-file',
      'backup-copy-export-link',
      'backup-copy-export-notes',
      'elsewhere',
    ]);
  });

  it('says so when the folder cannot be made', async () => {
    await writeFile(join(parent, 'file'), '');
    const opening = openScratch({ parent: join(parent, 'file'), runId: 'one', limitBytes });
    await expect(opening).rejects.toThrow(ScratchError);
    await expect(opening).rejects.toThrow(/--scratch/);
  });
});
