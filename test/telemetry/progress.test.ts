import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLog } from '../../src/telemetry/log.ts';
import { createProgress, type Progress } from '../../src/telemetry/progress.ts';
import { createScreen } from '../../src/telemetry/screen.ts';
import { type FakeTerminal, fakeTerminal } from './terminal.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 20) });
});
afterEach(() => {
  vi.useRealTimers();
});

function surroundings(mode: 'auto' | 'on' | 'off', terminal: FakeTerminal) {
  const screen = createScreen(terminal);
  const log = createLog({ level: 'info', format: 'json', color: false, secrets: [], write: screen.write });
  return { log, progress: createProgress({ mode, screen, log, now: () => Date.now() }) };
}

function readHalf(progress: Progress): void {
  progress.drainStarted(4);
  vi.advanceTimersByTime(2000);
  for (let page = 0; page < 6; page += 1) progress.page(1000);
  progress.drained(true);
  progress.drained(false);
  progress.publishStarted(3);
  progress.published();
  vi.advanceTimersByTime(1000);
}

describe('on a terminal', () => {
  test('a bar says targets, failures, rows, pages per second, parts and time left', () => {
    const terminal = fakeTerminal({ isTTY: true, columns: 120 });
    const { progress } = surroundings('auto', terminal);
    readHalf(progress);
    const line = terminal.screen().find((one) => one.startsWith('['));
    expect(line).toBe(
      `[${'='.repeat(15)}${'-'.repeat(15)}] 2/4 targets · 1 failed · 6,000 rows · 2 pages/s · 1/3 parts · 2s left`,
    );
    progress.stop();
  });

  test('once all is read it is about the parts, and pages per second stand still', () => {
    const terminal = fakeTerminal({ isTTY: true, columns: 120 });
    const { progress } = surroundings('auto', terminal);
    readHalf(progress);
    progress.drained(true);
    progress.drained(true);
    vi.advanceTimersByTime(60_000);
    progress.published();
    vi.advanceTimersByTime(1000);
    const line = terminal.screen().find((one) => one.startsWith('['));
    const bar = `[${'='.repeat(20)}${'-'.repeat(10)}]`;
    expect(line).toBe(`${bar} 2/3 parts · 4/4 targets · 1 failed · 6,000 rows · 2 pages/s`);
    progress.stop();
  });

  test('it fits a narrow terminal on one line', () => {
    const terminal = fakeTerminal({ isTTY: true, columns: 40 });
    const { progress } = surroundings('auto', terminal);
    readHalf(progress);
    const bars = terminal.screen().filter((one) => one !== '');
    expect(bars).toHaveLength(1);
    expect(bars[0]?.length).toBeLessThanOrEqual(40);
    progress.stop();
  });

  test('log lines stand whole above it, in their order, and none is lost', () => {
    const terminal = fakeTerminal({ isTTY: true, columns: 120 });
    const { progress, log } = surroundings('auto', terminal);
    readHalf(progress);
    for (let i = 0; i < 3; i += 1) log.info({ i }, 'short');
    log.info({ text: 'x'.repeat(300) }, 'long');
    vi.advanceTimersByTime(1000);
    log.info({ i: 4 }, 'after');
    progress.stop();
    const lines = terminal.screen().filter((one) => one !== '');
    expect(lines.map((one) => JSON.parse(one).msg)).toEqual(['short', 'short', 'short', 'long', 'after']);
  });

  test('after stop the terminal is as it was, and log lines go straight to it', () => {
    const terminal = fakeTerminal({ isTTY: true, columns: 120 });
    const { progress, log } = surroundings('on', terminal);
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
  test('auto logs a structured line every 30 seconds, and no escape', () => {
    const terminal = fakeTerminal({ isTTY: false, columns: 80 });
    const { progress } = surroundings('auto', terminal);
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
      rows: 6000,
      pages: 6,
      pages_per_second: 0.2,
      parts_done: 1,
      parts: 3,
      msg: 'progress',
    });
    vi.advanceTimersByTime(30_000);
    expect(terminal.written().trim().split('\n')).toHaveLength(2);
    progress.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('on writes the bar as plain lines', () => {
    const terminal = fakeTerminal({ isTTY: false, columns: 80 });
    const { progress } = surroundings('on', terminal);
    readHalf(progress);
    vi.advanceTimersByTime(4000);
    progress.stop();
    expect(terminal.written()).toContain('2/4 targets');
    expect(terminal.written()).not.toContain('\u001b');
  });
});

test.each([true, false])('off says nothing, terminal: %s', (isTTY) => {
  const terminal = fakeTerminal({ isTTY, columns: 80 });
  const { progress } = surroundings('off', terminal);
  readHalf(progress);
  vi.advanceTimersByTime(100_000);
  progress.stop();
  expect(terminal.written()).toBe('');
});
