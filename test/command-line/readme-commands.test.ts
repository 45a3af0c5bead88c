import { spawn } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allJobs } from '../../src/config/option.ts';
import { tableOf } from '../../src/config/options.ts';
import { type Lab, openLab } from '../support/lab.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const readme = read('README.md');
const pages = ['README.md', 'docs/getting-started.md', 'docs/asking.md', 'docs/reference/simulate.md'];
const commandsIn = (page: string): readonly string[] =>
  read(page).match(/^\.\/backup-copy-export .*$/gm) ?? [];
const commands = [...new Set(pages.flatMap(commandsIn))];
const isQuery = (command: string): boolean => command.startsWith('./backup-copy-export query ');

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ accounts: 2, regions: 1, days: 2 });
  await lab.run();
  for (const folder of ['demo', 'try']) {
    cpSync(lab.lake, join(lab.folder, folder, 'lake'), { recursive: true });
  }
});
afterAll(() => lab.close());

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const ended = new Map<string, Promise<Ended>>();

/** What a command has said and how it ended; it is run once. */
function inShell(command: string): Promise<Ended> {
  const known = ended.get(command) ?? runInShell(command);
  ended.set(command, known);
  return known;
}

/** In a shell, as a person does, but in a folder with a lake, and with that in place of one on S3. */
function runInShell(command: string): Promise<Ended> {
  const here = command.replace('./backup-copy-export', `'${join(root, 'backup-copy-export')}'`);
  const child = spawn('sh', ['-c', here.replaceAll('s3://YOUR-BUCKET/lake', './lake')], {
    cwd: lab.folder,
    env: { ...process.env, ...lab.environment },
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.stderr += chunk.toString();
  });
  child.stdin.end('SELECT 42 AS answer;\n');
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...said })));
}

describe('a command of the README and of the pages for newcomers runs in a clone as it is written', () => {
  test.each(commands.filter(isQuery))('%s', async (command) => {
    const { code, stdout, stderr } = await inShell(command);
    expect([code, stderr.match(/error|Unknown/i)]).toEqual([0, null]);
    expect(stdout.length).toBeGreaterThan(5);
  });

  test('and every page shows some', () => {
    for (const page of pages) {
      expect(commandsIn(page).length, page).toBeGreaterThan(0);
      expect(read(page), page).not.toMatch(/^backup-copy-export /m);
    }
    expect(commands.filter(isQuery).length).toBeGreaterThan(6);
    expect(commands.filter((command) => !isQuery(command)).length).toBeGreaterThan(4);
  });

  test.each(commands.filter((command) => !isQuery(command)))(
    '%s: its job and its options are known',
    (command) => {
      const [, job, ...words] = command.split(' ');
      const known = allJobs.find((one) => one === job);
      if (known === undefined) throw new Error(`there is no job ${job}`);
      const names = words.flatMap((word) => /^--([^=]+)/.exec(word)?.[1] ?? []);
      expect([...tableOf(known).keys()]).toEqual(expect.arrayContaining(names));
    },
  );
});

test('the answer that the README shows has the columns that its question gives today', async () => {
  const [, command = '', answer = ''] =
    /```\n(\.\/backup-copy-export query .*)\n```\n\n```\n((?:.*\n)+?)```/.exec(readme) ?? [];
  const { stdout } = await inShell(command);
  expect(answer.split('\n')[0]?.split(/ +/)).toEqual(stdout.split(/\r?\n/)[0]?.split(','));
});

test('the demo ends with a question that runs as it stands', async () => {
  const [command = ''] = /\.\/backup-copy-export query [^\\]*/.exec(read('scripts/demo.ts')) ?? [];
  expect(command).toContain('--lake ./demo/lake');
  const { code, stdout } = await inShell(command);
  expect(code).toBe(0);
  expect(stdout).toContain('status_message');
});

test('the npm package holds what the README points to', () => {
  const { files }: { files: readonly string[] } = JSON.parse(read('package.json'));
  const links = [...readme.matchAll(/\]\(([^):#]+)(?:#[^)]*)?\)/g)].map(
    ([, path = '']) => path.split('/')[0],
  );
  expect(links.length).toBeGreaterThan(4);
  for (const link of links) expect(files).toContain(link);
  expect(files).toContain('deploy');
});
