import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { show } from '../../src/query/pager.ts';
import { fakeTerminal } from '../telemetry/terminal.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-pager-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const long = `${Array.from({ length: 50 }, (_, line) => `line ${line}`).join('\n')}\n`;

/** What went to the terminal past the pager, and what the pager was given. */
async function shown(
  text: string,
  env: Readonly<Record<string, string>>,
  { isTTY = true, signal = new AbortController().signal } = {},
) {
  const stdout = Object.assign(fakeTerminal({ isTTY, columns: 80 }), { rows: 24 });
  await show(text, { stdout, env: { PATH: process.env.PATH, ...env }, signal });
  const paged = await readFile(join(folder, 'paged'), 'utf8').catch(() => null);
  await rm(join(folder, 'paged'), { force: true });
  return { written: stdout.written(), paged };
}

describe('at a terminal', () => {
  const pager = () => `cat > '${join(folder, 'paged')}'`;

  test('a text that is longer than the screen goes through $PAGER, which may be any command of the shell', async () => {
    expect(await shown(long, { PAGER: pager() })).toEqual({ written: '', paged: long });
  });

  test('a text that is wider than the screen goes through it too', async () => {
    const wide = `${'x'.repeat(81)}\n`;
    expect(await shown(wide, { PAGER: pager() })).toEqual({ written: '', paged: wide });
  });

  test('a text that fits the screen does not', async () => {
    const short = `${'x'.repeat(80)}\n`.repeat(23);
    expect(await shown(short, { PAGER: pager() })).toEqual({ written: short, paged: null });
  });

  test.each(['', 'cat', ' '])('PAGER=%j means none', async (PAGER) => {
    expect(await shown(long, { PAGER })).toEqual({ written: long, paged: null });
  });

  test('a pager that is not there is done without', async () => {
    expect((await shown(long, { PAGER: 'exit 127' })).written).toBe(long);
    expect((await shown(long, { PATH: folder })).written).toBe(long);
  });

  test('a pager that is left before the end has shown what was wanted', async () => {
    expect((await shown(long.repeat(10_000), { PAGER: 'exit 3' })).written).toBe('');
  });

  test('Ctrl-C while it is there is the pager’s, and afterwards the program’s again', async () => {
    let stopped = 0;
    const stop = (): void => {
      stopped += 1;
    };
    process.on('SIGINT', stop);
    try {
      await shown(long, { PAGER: `kill -INT ${process.pid}; sleep 0.1; ${pager()}` });
      expect(stopped).toBe(0);
      process.emit('SIGINT');
      expect(stopped).toBe(1);
    } finally {
      process.off('SIGINT', stop);
    }
  });

  test('what ends the program ends the pager', async () => {
    const stop = new AbortController();
    const reading = shown(long, { PAGER: 'exec sleep 600' }, { signal: stop.signal });
    stop.abort();
    await reading;
  });
});

test('without a terminal there is no pager', async () => {
  expect(await shown(long, { PAGER: `cat > '${join(folder, 'paged')}'` }, { isTTY: false })).toEqual({
    written: long,
    paged: null,
  });
});
