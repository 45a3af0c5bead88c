/** The command line: its jobs, the options that every job has, and exit codes. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import yargs, { type CommandModule } from 'yargs';
import { prepareArguments, yargsParserRules } from '../config/argument-syntax.ts';
import { closestName } from '../config/closest-name.ts';
import { checkOptions, combineErrors } from '../config/layers.ts';
import { allJobs, type Job } from '../config/option.ts';
import { allOptionNames, commonOptionNames, optionsOf, switchNames, tableOf } from '../config/options.ts';
import { parameterNames } from '../questions/questions.ts';
import { type OutputError, ReportedError, UsageError } from '../shared/errors.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import { programPackage } from '../shared/program-package.ts';
import { outputProblem, writeOut } from '../shared/standard-output.ts';
import { printable } from '../telemetry/printable.ts';
import { columnsOf } from '../telemetry/screen.ts';
import { endAtOnce, isPoolBusy } from './end-at-once.ts';
import { provideHome } from './home-folder.ts';
import { processInput } from './process-input.ts';
import { yargsOptions } from './yargs-options.ts';

const name = 'backup-copy-export';

/** The jobs, and the help that needs more than yargs. */
export interface CommandLine {
  readonly jobs: readonly CommandModule[];
  /** The help text of a named question; null for any other command line. */
  readonly helpOfQuestion: (args: readonly string[]) => Promise<string | null>;
}

async function runJob(args: readonly string[], { jobs, helpOfQuestion }: CommandLine): Promise<void> {
  const text = await helpOfQuestion(args);
  if (text !== null) {
    await writeOut(process.stdout, text);
    return;
  }
  const parser = yargs(args)
    .scriptName(name)
    .locale('en')
    .parserConfiguration(yargsParserRules)
    .exitProcess(false)
    .showHelpOnFail(false)
    .usage('$0 <command> [options]')
    .command([...jobs])
    .demandCommand(1, 1, noJob)
    .strict()
    .option('config', { type: 'string', describe: '<FILE> JSON or YAML file with options' })
    .options(yargsOptions(optionsOf(commonOptionNames)))
    .group(['config', ...commonOptionNames, 'help', 'version'], 'Options of every command:')
    .check((argv) => argv._.length <= 1 || `Unknown argument: ${argv._.slice(1).join(' ')}`)
    .version(programPackage().version)
    .fail((message, error) => {
      if (error instanceof Error) throw error;
      throw usageError(message, args);
    });
  if (args.some((arg) => /^(--)?help/.test(arg))) {
    parser.wrap(Math.min(columnsOf(process.stdout), 120)).epilogue(epilogue());
  } else {
    // yargs makes the help of a command when its job begins, shown or not (command.js, cacheHelpMessage): some 30 ms.
    parser.wrap(null);
    for (const option of allOptionNames) parser.hide(option);
  }
  await parser.parseAsync();
}

/** yargs reports unknown options without their dashes, and treats an unknown job as an argument. */
function usageError(message: string, args: readonly string[]): ReportedError {
  const [first = ''] = args;
  const unknown = unknownIn(message, args);
  if (unknown === null)
    return new UsageError(message, `Name one of ${allJobs.join(', ')}; see ${name} --help.`);
  const job = allJobs.find((one) => one === first);
  if (!first.startsWith('-') && job === undefined) {
    const meant = closestName(first, allJobs);
    return new UsageError(
      `There is no command ${JSON.stringify(first)}`,
      `${meant === null ? '' : `Did you mean ${meant}? `}Name one of ${allJobs.join(', ')}.`,
    );
  }
  const problem = unknownOptions(unknown, args, job);
  if (job === undefined) return problem;
  // yargs stops at the unknown option. Check the values too, so that one message names everything that is wrong.
  const known = Object.fromEntries(tableOf(job));
  const flags = yargs(args)
    .parserConfiguration(yargsParserRules)
    .options(yargsOptions(known))
    .help(false)
    .parseSync();
  const { problems } = checkOptions(job, processInput(flags));
  return problems.length === 0 ? problem : combineErrors([problem, ...problems]);
}

function unknownOptions(
  unknown: readonly string[],
  args: readonly string[],
  job: Job | undefined,
): UsageError {
  const shown = unknown.map((one) => args.find((arg) => optionIn(arg) === one)?.split('=')[0] ?? one);
  const ofQuestions = job === 'query' ? parameterNames() : [];
  const known = job === undefined ? allOptionNames : [...tableOf(job).keys(), ...ofQuestions, 'config'];
  const meant = shown.flatMap((one) =>
    one.startsWith('--') ? (closestName(one.slice(2), known) ?? []) : [],
  );
  const question = meant.length === 0 ? '' : `Did you mean ${meant.map((one) => `--${one}`).join(', ')}? `;
  return new UsageError(
    `Unknown ${shown.every((one) => one.startsWith('-')) ? 'option' : 'argument'}: ${[...new Set(shown)].join(', ')}`,
    `${question}See ${name} ${job === undefined ? '' : `${job} `}--help for all options.`,
  );
}

const noJob = 'No command was named';

/** The unknown options and arguments on the command line; null if something else is wrong. */
function unknownIn(message: string, args: readonly string[]): readonly string[] | null {
  const [, names] = /^Unknown arguments?: (.+)$/s.exec(message) ?? [];
  if (names !== undefined) return names.split(', ');
  if (message !== noJob) return null;
  // Without a job, yargs does not check the options.
  const known = ['config', ...commonOptionNames, 'help', 'version'];
  const options = args.flatMap((arg) => optionIn(arg) ?? []).filter((option) => !known.includes(option));
  return options.length === 0 ? null : options;
}

function optionIn(arg: string): string | undefined {
  return /^--?([^=]+)/.exec(arg)?.[1];
}

function epilogue(): string {
  const codes = Object.entries(exitCodes).map(([code, meaning]) => `  ${code.padStart(2)}  ${meaning}`);
  return [
    'You can also set every option in the environment (BACKUP_COPY_EXPORT_LAKE=s3://bucket/prefix)',
    'or in the file named by --config (lake: s3://bucket/prefix).',
    'Flags override the environment, and the environment overrides the file.',
    '',
    'Exit codes:',
    ...codes,
    '',
    '<command> --help lists the options of one command. docs/reference/exit-codes.md says which code wins if several apply.',
  ].join('\n');
}

/** Prints why the program ends on stderr: a ReportedError as its message, any other error with its stack. */
function complain(error: unknown): void {
  process.exitCode = error instanceof ReportedError ? error.exitCode : 70;
  const text =
    error instanceof ReportedError
      ? `${name}: ${linesOf(error).map(printable).join('\n  ')}`
      : `${name}: internal error, please report it: ${error instanceof Error ? error.stack : String(error)}`;
  process.stderr.write(`${text}\n`);
}

function linesOf({ message, each }: ReportedError): readonly string[] {
  return each.length === 0 ? [message] : [`${each.length} options are wrong. Correct them:`, ...each];
}

function endNow(error: unknown): never {
  complain(error);
  endAtOnce(70);
}

/** Runs the job that the arguments name, prints errors on stderr, and ends the process with the job's exit code. */
export async function runCommandLine(args: readonly string[], commandLine: CommandLine): Promise<never> {
  process.on('uncaughtException', endNow);
  process.on('unhandledRejection', endNow);
  // An error on stdout does not end a job: its work counts, not what happens to its report.
  let unwritten: OutputError | null = null;
  process.stdout.on('error', (error) => {
    unwritten ??= outputProblem(error);
  });
  // If stderr fails, there is no way left to report anything.
  process.stderr.on('error', () => {});

  provideHome(process.env);
  let ended = false;
  process.on('exit', () => {
    // Node exits when nothing is pending, even in the middle of a job.
    if (!ended && process.exitCode === undefined) complain(new Error('the job ended without a result'));
  });
  try {
    await runJob(prepareArguments(args, switchNames), commandLine);
    // A stream reports a write error in the next turn of the event loop.
    await nextTurn();
    if (unwritten !== null && process.exitCode === undefined) complain(unwritten);
  } catch (error) {
    complain(error);
  }
  ended = true;
  // What has just ended counts until the next turn.
  await nextTurn();
  if (isPoolBusy()) endAtOnce(Number(process.exitCode ?? 0));
  process.exit();
}
