/** Programs whose stdout takes nothing, over a lab that is open in a file that calls `refusedOutput`. */
import { spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** What a stdout is called in a test, and a descriptor that takes nothing. */
type Refusing = readonly [name: string, descriptor: number];

export const openForReading: readonly Refusing[] = [['that cannot be written to', openSync(devNull, 'r')]];
/** A system without such a device tries the other descriptor again. */
export const fullDisk: readonly Refusing[] = existsSync('/dev/full')
  ? [['on a full disk', openSync('/dev/full', 'w')]]
  : openForReading;

let lab: Lab;

function openRefusedLab(): void {
  beforeAll(async () => {
    lab = await openLab({ accounts: 2, regions: 1, days: 1 });
    await lab.run({ lake: join(lab.folder, 'asked') });
  });
  afterAll(() => lab.close());
}

export function run(
  args: readonly string[],
  stdout: 'pipe' | number,
  stderr: 'pipe' | number = 'pipe',
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: lab.folder,
    env: { ...process.env, ...lab.environment },
    stdio: ['ignore', stdout, stderr],
  });
  // Whoever read the result is gone.
  child.stdout?.destroy();
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, stderr: said }));
  });
}

export const exported = (lake: string) => [
  'export',
  '--lake',
  lake,
  '--accounts',
  'all',
  '--scratch',
  './scratch',
];

/** The exit code in the manifest of the lake's only run. */
async function recordedCode(lake: string): Promise<unknown> {
  const runs = join(lab.folder, lake, '_ledger', 'runs');
  const names = (await readdir(runs, { recursive: true })).filter((name) => /[^n]\.json$/.test(name));
  expect(names).toHaveLength(1);
  const manifest: { exit_code: unknown } = JSON.parse(readFileSync(join(runs, String(names[0])), 'utf8'));
  return manifest.exit_code;
}

/** Opens the lab of the whole file. */
export function refusedOutput(refusing: readonly Refusing[]): void {
  openRefusedLab();
  describe.each(refusing)('stdout %s', (_, descriptor) => {
    test('changes neither what an export did nor its exit code, and is said on stderr', async () => {
      const { code, stderr } = await run(exported(`stdout-${descriptor}`), descriptor);
      expect(code).toBe(0);
      expect(await recordedCode(`stdout-${descriptor}`)).toBe(0);
      expect(stderr).toMatch(
        /the result could not be written to stdout; the job itself ended with exit code 0/,
      );
      expect(stderr).not.toContain('internal error');
    });

    test('leaves a failed run its own code', async () => {
      lab.simulator.addFaults([{ kind: 'deny', api: 'ListCopyJobs', account: lab.member(0) }]);
      const { code } = await run(exported(`failed-${descriptor}`), descriptor);
      lab.simulator.clearFaults();
      expect(code).toBe(77);
    });

    test.each([
      ['--help', []],
      ['--version', []],
      ['query', ['--list']],
      ['query', ['SELECT 1', '--lake', './asked']],
      ['plan', ['--lake', './planned']],
      ['catalog', ['ddl', '--lake', 's3://some-bucket/lake', '--first-day', '2026-01-01']],
      ['simulate', []],
    ] as const)('ends with 74 what gives nothing else: %s %j', async (first, rest) => {
      const { code, stderr } = await run([first, ...rest], descriptor);
      expect(code).toBe(74);
      expect(stderr).toMatch(/The result could not be written to stdout \(E[A-Z]+\)\. Send it to/);
      expect(stderr.match(/Send it to/g)?.length).toBeLessThanOrEqual(2);
    });

    test('as stderr does not matter either', async () => {
      const lake = `both-${descriptor}`;
      const { code } = await run(exported(lake), descriptor, descriptor);
      expect([code, await recordedCode(lake)]).toEqual([0, 0]);
    });
  });
}
