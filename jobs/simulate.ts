import { readFileSync } from 'node:fs';
import type { CommandModule } from 'yargs';
import { endAtOnce } from '../src/command-line/end-at-once.ts';
import { processInput } from '../src/command-line/process-input.ts';
import { stopSignals } from '../src/command-line/signals.ts';
import { yargsOptions } from '../src/command-line/yargs-options.ts';
import { collectOptions, type LayeredOptions, type LayerValue, readValue } from '../src/config/layers.ts';
import type { Option } from '../src/config/option.ts';
import { parseTelemetry } from '../src/config/settings.ts';
import {
  type SimulateOptionName,
  type SimulateValue,
  simulateOptions,
} from '../src/config/simulate-options.ts';
import { ConfigError, ReportedError, ScratchError, UsageError } from '../src/shared/errors.ts';
import { writeOut } from '../src/shared/standard-output.ts';
import { FaultError, type FaultInput, faultKinds, parseFaults } from '../src/simulator/faults.ts';
import { defaultOptions, type SimulatorOptions } from '../src/simulator/simulator-options.ts';

/** `simulate`: a local simulation of the AWS APIs, to try the program without an AWS account. */
export const simulateJob: CommandModule = {
  command: 'simulate',
  describe: 'Simulate the AWS APIs on this machine, to try everything without an AWS account',
  builder: (argv) =>
    argv
      .options(yargsOptions(simulateOptions))
      .epilogue(
        [
          'The simulator prints one line of JSON on stdout, {"endpoint", "env"}, and on stderr the export commands to paste into another shell.',
          '',
          'While it runs, it accepts these requests without a signature:',
          '  POST   /_simulator/clock     move the clock: {"advance":"1d"} or {"now":"2026-11-21T02:00:00Z"}',
          '  GET    /_simulator/clock     show the clock',
          '  POST   /_simulator/faults    add faults: [{"kind":"throttle","api":"ListCopyJobs","count":5}]',
          '  GET    /_simulator/faults    list the faults and how often each one was applied',
          '  DELETE /_simulator/faults    remove all faults',
          '  GET    /_simulator/requests  count the requests received, by API',
          '',
          `Kinds of faults: ${Object.keys(faultKinds).join(', ')}. docs/reference/simulate.md describes each one.`,
        ].join('\n'),
      ),
  handler: async (argv) => {
    const input = processInput(argv);
    // The simulator writes no log, but a bad value of these options is still an error.
    const { output } = parseTelemetry('simulate', input);
    const options = readOptions(collectOptions('simulate', input), input.cwd);
    // Loaded here because no other job needs it.
    const { startSimulator } = await import('../src/simulator/simulator.ts');
    const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
    stopSignals({ from: process, onFirst: () => stop(), onSecond: () => endAtOnce(75) });
    const simulator = await startSimulator(options).catch((error: unknown) => {
      throw startFailure(error, options);
    });
    try {
      // The reader may close stdout after this line: `simulate | head -n 1` keeps running.
      const ready = { endpoint: simulator.endpoint, env: simulator.env };
      await writeOut(process.stdout, `${JSON.stringify(ready)}\n`);
      if (output === 'text') process.stderr.write(toPaste(simulator.env));
      await stopped;
    } finally {
      await simulator.stop();
    }
  },
};

/** Shell commands that point this program and the AWS CLI at the simulator. */
function toPaste(env: Readonly<Record<string, string>>): string {
  const lines = Object.entries(env).map(([name, value]) => `export ${name}='${value}'`);
  return `Paste this into another shell. Ctrl-C here stops the simulator.\n\nunset AWS_SESSION_TOKEN AWS_PROFILE\n${lines.join('\n')}\n\n`;
}

function readOptions(layered: LayeredOptions, cwd: string): SimulatorOptions {
  const optional = <N extends SimulateOptionName>(name: N): SimulateValue<N> | null =>
    // The table's entry of this name is the one whose parse gives this type.
    readValue(layered, name, simulateOptions[name] as Option<SimulateValue<N>>, cwd);
  const value = <N extends SimulateOptionName>(name: N): SimulateValue<N> => {
    const found = optional(name);
    if (found === null) throw new Error(`option ${name} has no default`);
    return found;
  };
  const faults = optional('faults');
  return {
    port: value('port'),
    accounts: value('accounts'),
    regions: value('regions'),
    jobsPerDay: value('jobs-per-day'),
    days: value('days'),
    seed: value('seed'),
    now: value('now'),
    latencyMs: value('latency-ms'),
    keepPagesBytes: optional('keep-pages') ?? 0,
    truthFile: optional('truth'),
    faults: faults === null ? [] : readFaults(faults, layered.get('faults')?.[0]),
    children: value('children'),
    listInDestination: value('list-in-destination'),
    externalId: defaultOptions.externalId,
  };
}

function readFaults(file: string, source: LayerValue | undefined): readonly FaultInput[] {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return parseFaults(parsed);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const advice =
      error instanceof FaultError ? 'Correct the list.' : 'Name a file that contains a JSON array of faults.';
    const Class = source?.layer === 'file' ? ConfigError : UsageError;
    throw new Class(`${source?.where ?? '--faults'}: ${file} cannot be used: ${reason}`, advice);
  }
}

function startFailure(error: unknown, { port, truthFile }: SimulatorOptions): unknown {
  if (error instanceof ReportedError || !(error instanceof Error) || !('code' in error)) return error;
  if ('syscall' in error && error.syscall === 'listen') {
    return new UsageError(
      `Port ${port} of 127.0.0.1 cannot be used (${String(error.code)})`,
      'Use another port, or 0 for any free one.',
      { cause: error },
    );
  }
  return new ScratchError(
    `The file of --truth, ${truthFile}, cannot be written (${String(error.code)})`,
    'Check that its folder exists, its permissions and free disk space.',
    { cause: error },
  );
}
