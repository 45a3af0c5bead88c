/**
 * Handles the signals that ask the program to stop. Imports nothing, so that src/cli.ts can listen before it loads
 * the rest.
 */
import type { EventEmitter } from 'node:events';

/**
 * SIGHUP arrives when a terminal or an SSH connection closes, SIGQUIT from Ctrl-\ and from some container runtimes.
 * Node resets an inherited "ignore" to the default action when it starts, so `nohup` does not protect a Node program.
 */
export const endingSignals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;

/** The part of `process` that is used here. */
export type SignalSource = EventEmitter & { exitCode?: number | string | null | undefined };

/**
 * Ends the program with its own exit code until a job listens. Without this, process 1 of a container would ignore the
 * signal (https://docs.docker.com/engine/containers/run/#foreground), and any other process would die without an exit
 * code. Once another listener exists or an exit code is set, this handler does nothing.
 */
export function endUntilAJobListens(
  from: SignalSource,
  end: (signal: string) => void,
  signals: readonly string[] = endingSignals,
): void {
  for (const signal of signals) {
    from.on(signal, () => {
      if (from.listenerCount(signal) === 1 && from.exitCode === undefined) end(signal);
    });
  }
}

export interface StopSignals {
  /** Aborted by the first signal. */
  readonly stopping: AbortSignal;
  /** Removes the handlers. */
  dispose(): void;
}

export interface StopSignalsOptions {
  /** The emitter of the signals: `process`. */
  readonly from: EventEmitter;
  readonly onFirst: (signal: string) => void;
  /** Ends the program at once. The lake is consistent at any instant, so nothing needs cleaning up. */
  readonly onSecond: (signal: string) => void;
}

/** The first signal asks the job to finish; the second ends the program at once. */
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
  for (const signal of endingSignals) from.on(signal, receive);
  return {
    stopping: controller.signal,
    dispose: () => {
      for (const signal of endingSignals) from.off(signal, receive);
    },
  };
}
