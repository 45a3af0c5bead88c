import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** The files of a suite, as vitest itself finds them. */
async function filesOf(config: string): Promise<readonly string[]> {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'list', '--filesOnly', '--json', '--config', config];
  const { stdout } = await run(process.execPath, args, { cwd: root });
  const listed: readonly { file: string }[] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  return listed.map(({ file }) => relative(root, file)).sort();
}

const suites = new Map<string, readonly string[]>();
beforeAll(async () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  for (const name of ['test', 'test:long', 'test:peers']) {
    const [, config = 'vitest.config.ts'] =
      /vitest run(?: --config (\S+))?$/.exec(String(scripts[name])) ?? [];
    suites.set(name, await filesOf(config));
  }
});

const suite = (name: string): readonly string[] => suites.get(name) ?? [];

describe('the suites', () => {
  it('hold every test file once', () => {
    const files = globSync('**/*.{test,spec}.{ts,mts,cts,js,mjs,cjs,tsx}', {
      cwd: root,
      exclude: (name) => ['node_modules', 'dist', '.cache'].includes(name),
    });
    expect(files.length).toBeGreaterThan(100);
    expect([...suites.values()].flat().sort()).toEqual(files.sort());
  });

  it('are cut by name and place', () => {
    expect(suite('test').length).toBeGreaterThan(suite('test:long').length);
    expect(suite('test:long').length).toBeGreaterThan(0);
    expect(suite('test:long').filter((file) => !file.endsWith('.long.test.ts'))).toEqual([]);
    expect(suite('test:peers').filter((file) => !file.startsWith('test/peers/'))).toEqual([]);
  });

  it('have one short file for each promise of the design, in `npm test`', () => {
    const design = readFileSync(join(root, 'docs/design.md'), 'utf8');
    const [, section = ''] = /^## 2\. Promises$(.*?)^## /ms.exec(design) ?? [];
    const promises = [...section.matchAll(/^- \*\*(.+?)\*\*/gm)].map(([, name = '']) =>
      name.replaceAll(/[ ,]+/g, '-'),
    );
    expect(promises).toHaveLength(9);
    const short = suite('test').filter((file) => file.startsWith('test/promises/'));
    expect(short).toEqual(promises.map((name) => `test/promises/${name}.test.ts`).sort());
  });

  it('are all run by CI', () => {
    const ci = readFileSync(join(root, '.ci/run'), 'utf8');
    const [, steps = ''] = /^all=\((.+)\)$/m.exec(ci) ?? [];
    for (const command of ['test', 'run test:long', 'run test:peers']) {
      const [, step = 'none'] =
        new RegExp(`^(\\w+)\\(\\) \\{\\n *suite ".+" \\d+ npm ${command}\\n\\}$`, 'm').exec(ci) ?? [];
      expect(steps.split(' '), command).toContain(step);
    }
  });
});
