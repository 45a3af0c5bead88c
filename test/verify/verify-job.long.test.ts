import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const key = 'copy_jobs/creation_date=2026-11-20/part-00000.parquet';
let folder: string;
let lake: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-verify-job-'));
  lake = join(folder, 'lake');
  await cp(fileURLToPath(new URL('../fixtures/lake-a2285a0', import.meta.url)), lake, { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function verify(
  ...words: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const args = [cli, 'verify', '--lake', lake, '--scratch', join(folder, 'scratch'), ...words];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

it('ends with 0 for a whole lake, 80 for a damaged one and 74 for none; the verdict is all that goes to stdout', async () => {
  const clean = await verify();
  expect(clean).toMatchObject({ code: 0, stdout: expect.stringMatching(/^No damage found in /) });
  await truncate(join(lake, key), 200);
  const text = await verify();
  expect(text).toMatchObject({
    code: 80,
    stdout: expect.stringMatching(/^DAMAGED: 1 finding in 1 object of /),
  });
  const json = await verify('--output', 'json');
  expect(json.code).toBe(80);
  expect(JSON.parse(json.stdout)).toMatchObject({
    exit_code: 80,
    findings: [{ kind: 'part-unreadable', key }],
  });
  const page = await verify('--output', 'html');
  expect(page).toMatchObject({ code: 80, stdout: expect.stringMatching(/^<!doctype html>/) });
  expect(page.stdout).toContain(key);
  await rm(lake, { recursive: true });
  const none = await verify();
  expect(none).toMatchObject({ code: 74, stdout: '' });
  expect(none.stderr).toContain('There is no lake in');
});
