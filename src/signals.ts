/** SIGTERM and SIGINT: the first asks the run to come to an end, the second ends the program at once. */
import type { EventEmitter } from 'node:events';

export interface StopSignals {
  /** Aborted by the first signal: no new drains. */
  readonly stopping: AbortSignal;
  /** Takes the handlers off again. */
  dispose(): void;
}

export interface StopSignalsOptions {
  /** What emits the signals: `process`. */
  readonly from: EventEmitter;
  readonly onFirst: (signal: string) => void;
  /** Ends the program now. The lake is whole at any instant, so nothing has to be put in order. */
  readonly onSecond: (signal: string) => void;
}

export function stopSignals({ from, onFirst, onSecond }: StopSignalsOptions): StopSignals {
  const controller = new AbortController();
  const receive = (signal: string): void => {
    if (controller.signal.aborted) {
      onSecond(signal);
      return;
    }
    onFirst(signal);
    controller.abort(new Error(`the program received ${signal}`));
  };
  const names = ['SIGTERM', 'SIGINT'] as const;
  for (const name of names) from.on(name, receive);
  return {
    stopping: controller.signal,
    dispose: () => {
      for (const name of names) from.off(name, receive);
    },
  };
}
