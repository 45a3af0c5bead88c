import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ArgumentsCamelCase, CommandModule } from 'yargs';
import { ReportedError, ScratchError, UsageError } from '../src/errors.ts';
import { ClockError, parseInstant } from '../src/simulator/clock.ts';
import { FaultError, type FaultInput, parseFaults } from '../src/simulator/faults.ts';
import { defaultOptions, type SimulatorOptions } from '../src/simulator/options.ts';
import { knownRegions } from '../src/simulator/regions.ts';

/** `simulate`: a local stand-in for the AWS APIs, to try everything without an account. */
export const simulateJob: CommandModule = {
  command: 'simulate',
  describe: 'Stand in for the AWS APIs on this machine, to try everything without an account',
  builder: {
    port: { type: 'string', default: '0', describe: 'Port on 127.0.0.1 (0: any)' },
    accounts: { type: 'string', default: '20', describe: 'Active accounts of the organization' },
    regions: { type: 'string', default: '4', describe: 'Enabled regions' },
    'jobs-per-day': {
      type: 'string',
      default: '50',
      describe: 'Copy jobs a day: mean, per account and region',
    },
    days: { type: 'string', default: '30', describe: 'Days of history at the start' },
    seed: { type: 'string', default: '7', describe: 'The same seed gives the same organization and jobs' },
    now: { type: 'string', default: '2026-11-20T02:00:00Z', describe: 'Where the clock stands at the start' },
    'latency-ms': { type: 'string', default: '0', describe: 'Added to every answer' },
    truth: { type: 'string', describe: 'Keep what complete drains would return as JSON lines (FILE)' },
    faults: { type: 'string', describe: 'What goes wrong from the start: a JSON array (FILE)' },
    children: {
      type: 'string',
      choices: ['listed', 'hidden'],
      default: 'listed',
      describe: 'Whether child jobs are listed without being asked for',
    },
    'list-in-destination': {
      type: 'boolean',
      default: false,
      describe: 'List a cross-account copy where it goes, too',
    },
  },
  handler: async (argv) => {
    const options = readOptions(argv);
    // Loaded only now: the other jobs have no use for it.
    const { startSimulator } = await import('../src/simulator/simulator.ts');
    const signals = new AbortController();
    const stopped = Promise.race([
      once(process, 'SIGTERM', { signal: signals.signal }),
      once(process, 'SIGINT', { signal: signals.signal }),
    ]);
    const simulator = await startSimulator(options).catch((error: unknown) => {
      throw startFailure(error, options);
    });
    process.stdout.write(`${JSON.stringify({ endpoint: simulator.endpoint, env: simulator.env })}\n`);
    await stopped;
    signals.abort();
    await simulator.stop();
  },
};

function readOptions(argv: ArgumentsCamelCase): SimulatorOptions {
  const { truth } = argv;
  return {
    port: integer(argv, 'port', 0, 65535),
    accounts: integer(argv, 'accounts', 1, 100_000),
    regions: integer(argv, 'regions', 1, knownRegions.length),
    jobsPerDay: number(argv, 'jobs-per-day', 0, 10_000_000),
    days: integer(argv, 'days', 0, 365),
    seed: integer(argv, 'seed', 0, 2 ** 31 - 1),
    now: instant(argv),
    latencyMs: integer(argv, 'latency-ms', 0, 600_000),
    truthFile: typeof truth === 'string' ? resolve(truth) : null,
    faults: typeof argv.faults === 'string' ? readFaults(argv.faults) : [],
    children: argv.children === 'hidden' ? 'hidden' : 'listed',
    listInDestination: argv['list-in-destination'] === true,
    externalId: defaultOptions.externalId,
  };
}

function integer(argv: ArgumentsCamelCase, name: string, lowest: number, highest: number): number {
  const value = number(argv, name, lowest, highest);
  if (Number.isInteger(value)) return value;
  throw new UsageError(`--${name} ${value} is not a whole number`, 'Give it without a fraction.');
}

function number(argv: ArgumentsCamelCase, name: string, lowest: number, highest: number): number {
  const text = String(argv[name]);
  const value = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= lowest && value <= highest) return value;
  throw new UsageError(`--${name} ${text} is not possible`, `Give a number from ${lowest} to ${highest}.`);
}

function instant(argv: ArgumentsCamelCase): number {
  try {
    return parseInstant(String(argv.now));
  } catch (error) {
    if (!(error instanceof ClockError)) throw error;
    throw new UsageError(`--now: ${error.message}`, 'Give an instant with its time zone, in ISO 8601.');
  }
}

function readFaults(file: string): readonly FaultInput[] {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return parseFaults(parsed);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const advice =
      error instanceof FaultError ? 'Correct the list.' : 'Give a file that holds a JSON array of faults.';
    throw new UsageError(`--faults ${file} cannot be used: ${reason}`, advice);
  }
}

function startFailure(error: unknown, { port, truthFile }: SimulatorOptions): unknown {
  if (error instanceof ReportedError || !(error instanceof Error) || !('code' in error)) return error;
  if ('syscall' in error && error.syscall === 'listen') {
    return new UsageError(
      `Port ${port} of 127.0.0.1 cannot be used (${String(error.code)})`,
      'Give another, or 0 for any that is free.',
      { cause: error },
    );
  }
  return new ScratchError(
    `The truth cannot be written to ${truthFile} (${String(error.code)})`,
    'Check the folder, its permissions and the space on its disk.',
    { cause: error },
  );
}
