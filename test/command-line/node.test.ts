import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { nodeProblem, programPackage } from '../../src/shared/program-package.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

test.each(['20.20.2', '22.14.0', '9.99.0'])(
  'Node %s is too old, and the message says what to do',
  (found) => {
    expect(nodeProblem(found, '22.15')).toMatch(
      new RegExp(
        `^The program needs Node 22\\.15 or later, and this is Node ${found} \\(.+\\)\\. Install a newer Node`,
      ),
    );
  },
);

test.each(['22.15.0', '22.16.1', '24.0.0', '100.0.0'])('Node %s will do', (found) => {
  expect(nodeProblem(found, '22.15')).toBeNull();
});

test('what is needed is what package.json says', () => {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(`>=${programPackage().requiredNode}`).toBe(engines.node);
});

test('a Node that is too old is told so before anything else of the program is loaded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'backup-copy-export-node-'));
  try {
    // As in the build, but with four files only: whatever else they load is missing.
    for (const name of [
      'cli',
      'shared/program-package',
      'command-line/signals',
      'command-line/end-at-once',
    ]) {
      const source = readFileSync(join(root, 'src', `${name}.ts`), 'utf8');
      const script = stripTypeScriptTypes(source).replaceAll(".ts'", ".js'");
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, `${name}.js`), script);
    }
    const packageJson = { version: '1.0.0', type: 'module', engines: { node: '>=999.0' } };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(packageJson));
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'cli.js'), '--version'], {
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^backup-copy-export: The program needs Node 999\.0 or later[^\n]*\n$/);
    expect([status, stdout]).toEqual([64, '']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
