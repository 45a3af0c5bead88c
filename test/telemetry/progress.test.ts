import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLog } from '../../src/telemetry/log.ts';
import { createProgress, type Progress } from '../../src/telemetry/progress.ts';
import type { Drain } from '../../src/telemetry/run-progress.ts';
import { createScreen } from '../../src/telemetry/screen.ts';
import { type FakeTerminal, fakeTerminal } from './terminal.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 20) });
});
afterEach(() => {
  vi.useRealTimers();
});

async function surroundings(mode: 'auto' | 'on' | 'off', terminal: FakeTerminal) {
  const screen = createScreen(terminal);
  const log = createLog({ level: 'info', format: 'json', color: false, secrets: [], write: screen.write });
  return { log, progress: await createProgress({ mode, screen, log, now: () => Date.now() }) };
}

/** Both tables of two targets, and one of two others. */
function drain(place: number, table: string): Drain {
  return { table, target: { accountId: `11112222333${place}`, region: 'eu-west-1' } };
}
const first = drain(1, 'copy_jobs');
const second = drain(1, 'copy_job_summaries');
const third = drain(2, 'copy_jobs');
const fourth = drain(2, 'copy_job_summaries');
const fifth = drain(3, 'copy_jobs');
const sixth = drain(4, 'copy_job_summaries');
const drains = [first, second, third, fourth, fifth, sixth];

function readHalf(progress: Progress): void {
  progress.drainStarted(drains);
  vi.advanceTimersByTime(2000);
  for (const drain of drains.slice(0, 5)) progress.drainBegan(drain);
  for (let page = 0; page < 6; page += 1) progress.page(first, 1000);
  progress.drained(first, true);
  progress.drained(second, false);
  progress.drained(third, true);
  progress.drained(fifth, true);
  progress.publishStarted(3);
  progress.published();
  vi.advanceTimersByTime(1000);
}

describe('on a terminal', () => {
  test('a bar says targets, failures, rows, pages per second, parts and time left', async () => {
    const terminal = fakeTerminal({ isTTY: true, columns: 120 });
    const { progress } = await surroundings('auto', terminal);
    readHalf(progress);
    const line = terminal.screen().find((one) => one.startsWith('['));
    expect(line).toBe(
      `[${'='.repeat(20)}${'-'.repeat(10)}] 2/4 targets · 1 failed · 6,000 rows · 2 pages/s · 1/3 parts · 1s left`,
    );
    progress.stop();
  });

  test('once all is read it is about the parts, and pages per second stand still', async () => {
    const terminal = fakeTerminal({ isTTY: true, columns: 120 });
    const { progress } = await surroundings('auto', terminal);
    readHalf(progress);
    progress.drained(fourth, true);
    progress.drainBegan(sixth);
    progress.drained(sixth, true);
    vi.advanceTimersByTime(60_000);
    progress.published();
    vi.advanceTimersByTime(1000);
    const line = terminal.screen().find((one) => one.startsWith('['));
    const bar = `[${'='.repeat(20)}${'-'.repeat(10)}]`;
    expect(line).toBe(`${bar} 2/3 parts · 4/4 targets · 1 failed · 6,000 rows · 2 pages/s`);
    progress.stop();
  });

  test('both of its lines fit a narrow terminal', async () => {
    const terminal = fakeTerminal({ isTTY: true, columns: 40 });
    const { progress } = await surroundings('auto', terminal);
    readHalf(progress);
    const bars = terminal.screen().filter((one) => one !== '');
    expect(bars).toHaveLength(2);
    for (const line of bars) expect(line.length).toBeLessThanOrEqual(40);
    progress.stop();
  });

  describe('it says what it is waiting for', () => {
    const shown = async (work: (progress: Progress) => void, columns = 120): Promise<string> => {
      const terminal = fakeTerminal({ isTTY: true, columns });
      const { progress } = await surroundings('auto', terminal);
      work(progress);
      vi.advanceTimersByTime(1000);
      const lines = terminal.screen().filter((one) => one !== '');
      progress.stop();
      return lines[0] ?? '';
    };

    test('before it drains, what is asked, and for how long', async () => {
      const line = await shown((progress) => {
        progress.phase('asking AWS which accounts and regions there are');
        vi.advanceTimersByTime(11_000);
      });
      expect(line).toBe('asking AWS which accounts and regions there are (12s)');
    });

    test('while it drains, the drain that has taken longest', async () => {
      const line = await shown((progress) => {
        progress.phase('asking AWS');
        progress.drainStarted(drains);
        for (const drain of [first, third, fifth]) {
          progress.drainBegan(drain);
          vi.advanceTimersByTime(60_000);
        }
        progress.page(third, 5);
        progress.drained(first, true);
        vi.advanceTimersByTime(59_000);
      });
      expect(line).toBe('waiting 3m 0s for 111122223332 eu-west-1 copy_jobs: 1 page · 1 more');
    });

    test('whether AWS throttles it, for as long as it does', async () => {
      const throttled = (afterMs: number) =>
        shown((progress) => {
          progress.drainStarted(drains);
          progress.drainBegan(first);
          progress.throttled({ ...first.target });
          vi.advanceTimersByTime(afterMs);
        });
      expect(await throttled(1000)).toBe(
        'waiting 2s for 111122223331 eu-west-1 copy_jobs (throttled by AWS): 0 pages',
      );
      expect(await throttled(20_000)).toBe('waiting 21s for 111122223331 eu-west-1 copy_jobs: 0 pages');
    });

    test('once all is read, the part that is published, and which of how many it is', async () => {
      const line = await shown((progress) => {
        progress.drainStarted([first]);
        progress.drainBegan(first);
        progress.drained(first, true);
        progress.publishStarted(31);
        progress.publishing('copy_jobs/a')();
        progress.published();
        progress.publishing('copy_jobs/b');
      });
      expect(line).toBe('publishing part 2 of 31: copy_jobs/b');
    });

    test('at the end, what is still to do', async () => {
      const line = await shown((progress) => {
        progress.drainStarted([]);
        progress.phase('closing the ledger');
      });
      expect(line).toBe('closing the ledger (1s)');
    });
  });

  test('log lines stand whole above it, in their order, and none is lost', async () => {
    const terminal = fakeTerminal({ isTTY: true, columns: 120 });
    const { progress, log } = await surroundings('auto', terminal);
    readHalf(progress);
    for (let i = 0; i < 3; i += 1) log.info({ i }, 'short');
    log.info({ text: 'x'.repeat(300) }, 'long');
    vi.advanceTimersByTime(1000);
    log.info({ i: 4 }, 'after');
    progress.stop();
    const lines = terminal.screen().filter((one) => one !== '');
    expect(lines.map((one) => JSON.parse(one).msg)).toEqual(['short', 'short', 'short', 'long', 'after']);
  });

  test('after stop the terminal is as it was, and log lines go straight to it', async () => {
    const terminal = fakeTerminal({ isTTY: true, columns: 120 });
    const { progress, log } = await surroundings('on', terminal);
    readHalf(progress);
    progress.stop();
    progress.stop();
    expect(terminal.written()).toContain('\u001b[?25l');
    expect(terminal.written().lastIndexOf('\u001b[?25h')).toBeGreaterThan(
      terminal.written().lastIndexOf('\u001b[?25l'),
    );
    log.info('end');
    expect(terminal.screen().join('')).toMatch(/^\{.*"msg":"end"\}$/);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('without a terminal', () => {
  test('auto logs a structured line every 30 seconds, and no escape', async () => {
    const terminal = fakeTerminal({ isTTY: false, columns: 80 });
    const { progress } = await surroundings('auto', terminal);
    readHalf(progress);
    expect(terminal.written()).toBe('');
    vi.advanceTimersByTime(27_000);
    const { time, ...line } = JSON.parse(terminal.written());
    expect(line).toEqual({
      level: 'info',
      event: 'progress',
      targets_done: 2,
      targets_planned: 4,
      targets_failed: 1,
      drains_done: 4,
      drains_planned: 6,
      rows: 6000,
      pages: 6,
      pages_per_second: 0.2,
      parts_done: 1,
      parts: 3,
      waiting_for: 'waiting 28s for 111122223332 eu-west-1 copy_job_summaries: 0 pages',
      msg: 'progress',
    });
    vi.advanceTimersByTime(30_000);
    expect(terminal.written().trim().split('\n')).toHaveLength(2);
    progress.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('on writes the bar as plain lines', async () => {
    const terminal = fakeTerminal({ isTTY: false, columns: 80 });
    const { progress } = await surroundings('on', terminal);
    readHalf(progress);
    vi.advanceTimersByTime(4000);
    progress.stop();
    expect(terminal.written()).toContain('2/4 targets');
    expect(terminal.written()).not.toContain('\u001b');
  });
});

test.each([true, false])('off says nothing, terminal: %s', async (isTTY) => {
  const terminal = fakeTerminal({ isTTY, columns: 80 });
  const { progress } = await surroundings('off', terminal);
  readHalf(progress);
  vi.advanceTimersByTime(100_000);
  progress.stop();
  expect(terminal.written()).toBe('');
});

describe('a look at a lake', () => {
  function look(progress: Progress): void {
    progress.phase('reading the ledger');
    progress.checked(1, 400, 0);
    vi.advanceTimersByTime(30_000);
    progress.checked(100, 400, 2);
  }

  test('on a terminal: what is read, what was found, and how long the rest takes', async () => {
    const terminal = fakeTerminal({ isTTY: true, columns: 100 });
    const { progress } = await surroundings('auto', terminal);
    look(progress);
    vi.advanceTimersByTime(1000);
    expect(terminal.screen().join('\n')).toContain('read 100 of 400 objects · 2 findings · 1m 33s left');
    progress.stop();
  });

  test('elsewhere: a line of the log with the same numbers', async () => {
    const terminal = fakeTerminal({ isTTY: false, columns: 100 });
    const { progress } = await surroundings('auto', terminal);
    look(progress);
    vi.advanceTimersByTime(30_000);
    const lines = terminal.written().trim().split('\n');
    expect(JSON.parse(String(lines.at(-1)))).toMatchObject({
      event: 'progress',
      objects_done: 100,
      objects: 400,
      findings: 2,
      seconds_left: 180,
    });
    progress.stop();
  });
});
