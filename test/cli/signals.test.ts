import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { stopSignals } from '../../src/signals.ts';

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

test.each(['SIGTERM', 'SIGINT'])('a first %s asks to stop, and is said once', (signal) => {
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
