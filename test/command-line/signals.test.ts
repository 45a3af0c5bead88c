import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  endingSignals,
  endUntilAJobListens,
  type SignalSource,
  stopSignals,
} from '../../src/command-line/signals.ts';

function surroundings() {
  const from = new EventEmitter();
  const said: string[] = [];
  const signals = stopSignals({
    from,
    onFirst: (signal) => said.push(`first ${signal}`),
    onSecond: (signal) => said.push(`second ${signal}`),
  });
  return { from, said, signals };
}

test.each(endingSignals)('a first %s asks to stop, and is said once', (signal) => {
  const { from, said, signals } = surroundings();
  expect(signals.stopping.aborted).toBe(false);
  from.emit(signal, signal);
  expect(signals.stopping.aborted).toBe(true);
  expect(said).toEqual([`first ${signal}`]);
});

test('a second one, also of the other kind, ends at once', () => {
  const { from, said } = surroundings();
  from.emit('SIGTERM', 'SIGTERM');
  from.emit('SIGINT', 'SIGINT');
  expect(said).toEqual(['first SIGTERM', 'second SIGINT']);
});

test('after dispose nothing listens any more', () => {
  const { from, said, signals } = surroundings();
  signals.dispose();
  from.emit('SIGTERM', 'SIGTERM');
  expect(said).toEqual([]);
  expect(from.eventNames()).toEqual([]);
});

describe('until a job listens, a signal ends the program', () => {
  const listening = () => {
    const from: SignalSource = new EventEmitter();
    const ended: string[] = [];
    endUntilAJobListens(from, (signal) => ended.push(signal));
    return { from, ended };
  };

  test.each(endingSignals)('%s', (signal) => {
    const { from, ended } = listening();
    from.emit(signal, signal);
    expect(ended).toEqual([signal]);
  });

  test('while a job listens it is left to the job, and afterwards nothing takes the exit code away', () => {
    const { from, ended } = listening();
    const signals = stopSignals({ from, onFirst: () => undefined, onSecond: () => undefined });
    from.emit('SIGHUP', 'SIGHUP');
    expect([signals.stopping.aborted, ended]).toEqual([true, []]);
    signals.dispose();
    from.exitCode = 0;
    from.emit('SIGHUP', 'SIGHUP');
    expect(ended).toEqual([]);
  });
});

/** The lines of a stream, as they come. */
function linesOf(stream: Readable): AsyncIterator<string> {
  return createInterface({ input: stream })[Symbol.asyncIterator]();
}

async function until(lines: AsyncIterator<string>, text: string): Promise<string> {
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    if (next.value.includes(text)) return next.value;
  }
  throw new Error(`ended without ${text}`);
}

test('the program ends with 75 at the second signal, in the middle of its calls', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'backup-copy-export-signals-'));
  const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
  const started: ChildProcess[] = [];
  const start = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const kept = Object.entries(process.env).filter(([name]) => !/^(AWS_|BACKUP_COPY_EXPORT_)/.test(name));
    const child = spawn(process.execPath, [cli, ...args], {
      cwd: folder,
      env: { ...Object.fromEntries(kept), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.push(child);
    return child;
  };
  try {
    // Every answer takes longer than the test may.
    const faults = join(folder, 'faults.json');
    writeFileSync(
      faults,
      '[{"kind":"hang","api":"ListCopyJobs"},{"kind":"hang","api":"ListCopyJobSummaries"}]',
    );
    const simulator = start(['simulate', '--accounts', '2', '--regions', '1', '--faults', faults]);
    const ready: { env: NodeJS.ProcessEnv } = JSON.parse(await until(linesOf(simulator.stdout), 'endpoint'));
    const exporter = start(['export', '--lake', './lake', '--scratch', './scratch'], ready.env);
    const log = linesOf(exporter.stderr);
    const exited = once(exporter, 'exit');
    await until(log, 'the run begins');
    exporter.kill('SIGTERM');
    expect(await until(log, '"event":"stopping"')).toMatch(
      /received SIGTERM: stopping; no new targets.*A second signal stops the program at once/,
    );
    exporter.kill('SIGINT');
    expect(await until(log, '"event":"stopped"')).toContain('The lake is consistent');
    expect(await exited).toEqual([75, null]);
  } finally {
    for (const child of started) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});
