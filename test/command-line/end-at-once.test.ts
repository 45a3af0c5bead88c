import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePipe, stickPool } from '../support/stuck-pool.ts';

let folder: string;
let pipe: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'backup-copy-export-end-'));
  pipe = makePipe(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const moduleOf = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

/** How a program of these statements ends. If it does not, it is killed before the test is given up. */
async function endOf(statements: string) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', statements], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  const [[code, signal], stdout, stderr] = await Promise.all([
    once(child, 'close'),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, signal, stdout, stderr };
}

describe('endAtOnce ends the process with its code', () => {
  const ending = (before: string) => `
    import { endAtOnce } from ${moduleOf('command-line/end-at-once.ts')};
    process.on('exit', (code) => process.stderr.write('exit ' + code + ' ' + process.exitCode + '\\n'));
    ${before}
    endAtOnce(75);`;
  const ended = { code: 75, signal: null, stdout: '', stderr: 'exit 75 75\n' };

  it.each([
    ['with nothing to wait for', ''],
    ['while no thread of the pool comes back', () => stickPool(pipe)],
    ['in an environment that would change how Node starts', "process.env.NODE_OPTIONS = '--no-such-option';"],
  ])('%s', async (_, before) => {
    expect(await endOf(ending(typeof before === 'string' ? before : before()))).toEqual(ended);
  });

  it('after a listener of its end has thrown', async () => {
    const throwing = "process.on('exit', () => { throw new Error('thrown'); });";
    expect(await endOf(ending(stickPool(pipe) + throwing))).toEqual(ended);
  });

  it('by process.exit where no program can take the place of another', async () => {
    const without = `process.execve = () => { throw new Error('not on this platform'); };`;
    expect(await endOf(ending(without))).toMatchObject({ code: 75, signal: null, stdout: '' });
  });
});

it.runIf(process.platform === 'linux')('leaves a pipe that others use as it was', async () => {
  const program = `import { endAtOnce } from ${moduleOf('command-line/end-at-once.ts')};
    process.stdout.write('text');
    endAtOnce(0);`;
  const script = '"$0" --input-type=module --eval "$1"; cat /proc/self/fdinfo/3 3>&1 >&2';
  const child = spawn('sh', ['-c', script, process.execPath, program], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [, flags = ''] = /^flags:\s+(\d+)/m.exec(stderr) ?? [];
  expect([stdout, flags, Number.parseInt(flags, 8) & constants.O_NONBLOCK]).toEqual([
    'text',
    expect.stringMatching(/^\d+$/),
    0,
  ]);
});

it('the pool is busy until a file is closed', async () => {
  const end = await endOf(`
    import { open } from 'node:fs/promises';
    import { setImmediate } from 'node:timers/promises';
    import { isPoolBusy } from ${moduleOf('command-line/end-at-once.ts')};
    const handle = await open('.');
    await setImmediate();
    const before = isPoolBusy();
    const closing = handle.close();
    console.log(before, isPoolBusy());
    await closing;`);
  expect(end).toMatchObject({ stdout: 'false true\n', stderr: '' });
});

describe('while no thread of the pool comes back', () => {
  const commandLine = (handler: string) => `
    import { runCommandLine } from ${moduleOf('command-line/command-line.ts')};
    const handler = async (argv) => { ${handler} };
    await runCommandLine(['plan'], { jobs: [{ command: 'plan', handler }], helpOfQuestion: async () => null });`;

  it('a job that has its result ends by process.exit if nothing is waited for', async () => {
    const spy = `process.execve = () => process.stderr.write('execve');
      const fs = process.getBuiltinModule('node:fs/promises');`;
    const waited = await endOf(commandLine(`${spy} process.exitCode = 74; await fs.stat('/');`));
    expect(waited).toEqual({ code: 74, signal: null, stdout: '', stderr: '' });
  });

  it('a job that has its result ends with its exit code', async () => {
    const end = await endOf(commandLine(`process.exitCode = 74; ${stickPool(pipe)}`));
    expect(end).toEqual({ code: 74, signal: null, stdout: '', stderr: '' });
  });

  it('an internal error ends with 70', async () => {
    const { code, stderr } = await endOf(
      commandLine(
        `${stickPool(pipe)} setTimeout(() => { throw new Error('unexpected'); }); await new Promise(() => {});`,
      ),
    );
    expect({ code, stderr }).toEqual({
      code: 70,
      stderr: expect.stringContaining('internal error, please report it: Error: unexpected'),
    });
  });

  it('a job that outlasts its time limit is ended with 75, and the log says so', async () => {
    const end = await endOf(
      commandLine(`
        const { runReportingJob } = await import(${moduleOf('command-line/run-job.ts')});
        await runReportingJob({
          job: 'plan',
          argv: { ...argv, logFormat: 'json', 'log-format': 'json' },
          parse: () => ({ externalId: null }),
          timeLimit: () => ({ ms: 50, whenOver: 'it did not end in time' }),
          run: async () => {
            ${stickPool(pipe)}
            await new Promise(() => undefined);
          },
          reportIsAll: () => true,
          render: async () => '',
        });`),
    );
    expect(end).toMatchObject({ code: 75, signal: null, stdout: '' });
    expect(JSON.parse(end.stderr)).toMatchObject({
      level: 'error',
      event: 'stopped',
      exit_code: 75,
      msg: 'it did not end in time',
    });
  });
});
