/**
 * The signals that ask the program to end. Imports nothing, so that src/cli.ts can listen before it loads the rest.
 */
import type { EventEmitter } from 'node:events';

/**
 * SIGHUP comes when a terminal or an SSH connection goes away, SIGQUIT from Ctrl-\ and from some container runtimes.
 * Node gives an inherited "ignore" back to the default action when it starts, so that `nohup` shields no Node program.
 */
export const endingSignals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;

/** The part of `process` that is needed. */
export type SignalSource = EventEmitter & { exitCode?: number | string | null | undefined };

/**
 * Ends the program with its own exit code while no job listens: as process 1 of a container it would otherwise not
 * hear the signal at all (https://docs.docker.com/engine/containers/run/#foreground), elsewhere die without a code.
 * As soon as somebody else listens, or an exit code is known, the signal is left to them.
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

/** The first signal asks the job to come to an end, the second ends the program at once. */
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
