import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const config = join(root, '.dependency-cruiser.cjs');
const { forbidden }: { forbidden: readonly { name: string }[] } = createRequire(import.meta.url)(config);
const order = forbidden.flatMap(({ name }) => /^(.+)-imports-only-lower-folders$/.exec(name)?.[1] ?? []);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-imports-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The names of the rules that these files break, as `npm run imports` would say. */
async function brokenBy(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  await writeFile(join(folder, 'tsconfig.json'), '{}');
  await mkdir(join(folder, 'jobs'), { recursive: true });
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
      '--config',
      config,
      'src',
      'jobs',
    ],
    { cwd: folder, encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  const [, modules] = /(\d+) modules, \d+ dependencies cruised/.exec(stdout) ?? [];
  expect(Number(modules)).toBeGreaterThanOrEqual(Object.keys(files).length);
  const broken = [...new Set([...stdout.matchAll(/error ([\w-]+): /g)].map(([, name = '']) => name))].sort();
  expect(status === 0).toBe(broken.length === 0);
  return broken;
}

const thing = 'export interface Thing { readonly a: number }\n';

describe('the order of the folders of src/', () => {
  it('names every folder, and no other', async () => {
    const folders = (await readdir(join(root, 'src'), { withFileTypes: true })).filter((one) =>
      one.isDirectory(),
    );
    expect([...order].sort()).toEqual(folders.map(({ name }) => name).sort());
  });

  it('allows a folder to import itself and lower ones', async () => {
    expect(
      await brokenBy({
        'src/shared/a.ts': thing,
        'src/shared/b.ts': "export type { Thing } from './a.ts';\n",
        'src/lake/c.ts': "import type { Thing } from '../shared/a.ts';\nexport const c: Thing = { a: 1 };\n",
      }),
    ).toEqual([]);
  });

  it('refuses that any folder imports even a type of the next higher one', async () => {
    const pairs = order.slice(0, -1).map((name, at) => [name, order[at + 1] ?? ''] as const);
    const files = pairs.flatMap(([name, higher]) => [
      [`src/${higher}/thing.ts`, thing],
      [
        `src/${name}/wrong.ts`,
        `import type { Thing } from '../${higher}/thing.ts';\nexport const it: Thing = { a: 1 };\n`,
      ],
    ]);
    const broken = await brokenBy(Object.fromEntries(files));
    expect(broken.filter((name) => name.endsWith('-imports-only-lower-folders'))).toEqual(
      pairs.map(([name]) => `${name}-imports-only-lower-folders`).sort(),
    );
  });

  it('refuses two files that import each other', async () => {
    expect(
      await brokenBy({
        'src/lake/a.ts': "import { b } from './b.ts';\nexport const a = () => b;\n",
        'src/lake/b.ts': "import { a } from './a.ts';\nexport const b = () => a;\n",
      }),
    ).toEqual(['no-circular']);
  });

  it('refuses a loose file, a job below cli.ts, and the simulator inside the program', async () => {
    expect(
      await brokenBy({
        'src/loose.ts': thing,
        'src/lake/a.ts': "import type { Thing } from '../loose.ts';\nexport const a: Thing = { a: 1 };\n",
        'src/command-line/b.ts': "export type { Thing } from '../../jobs/export.ts';\n",
        'jobs/export.ts': `${thing}export { s } from '../src/simulator/s.ts';\n`,
        'src/simulator/s.ts': 'export const s = 1;\n',
      }),
    ).toEqual([
      'jobs-are-on-top',
      'lake-imports-only-lower-folders',
      'only-cli-is-loose',
      'simulator-is-a-product-of-its-own',
    ]);
  });
});
