/** The command line: jobs, options that all of them have, exit codes. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import yargs, { type CommandModule } from 'yargs';
import { plainWords, wordRules } from '../config/argument-syntax.ts';
import { closest } from '../config/closest-word.ts';
import { judgedOptions, together } from '../config/layers.ts';
import { allJobs, type Job } from '../config/option.ts';
import { allOptionNames, commonOptionNames, optionsOf, switchNames, tableOf } from '../config/options.ts';
import { parameterNames } from '../questions/questions.ts';
import { type OutputError, ReportedError, UsageError } from '../shared/errors.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import { programPackage } from '../shared/program-package.ts';
import { outputProblem, writeOut } from '../shared/standard-output.ts';
import { printable } from '../telemetry/printable.ts';
import { columnsOf } from '../telemetry/screen.ts';
import { provideHome } from './home-folder.ts';
import { surroundings, yargsOptions } from './options-input.ts';

const name = 'backup-copy-export';

/** What the command line consists of. */
export interface CommandLine {
  readonly jobs: readonly CommandModule[];
  /** The help of a named question; null for any other command line. */
  readonly helpOfQuestion: (args: readonly string[]) => Promise<string | null>;
}

async function runJob(args: readonly string[], { jobs, helpOfQuestion }: CommandLine): Promise<void> {
  const text = await helpOfQuestion(args);
  if (text !== null) {
    await writeOut(process.stdout, text);
    return;
  }
  await yargs(args)
    .scriptName(name)
    .locale('en')
    .parserConfiguration(wordRules)
    .exitProcess(false)
    .showHelpOnFail(false)
    .usage('$0 <job> [options]')
    .command([...jobs])
    .demandCommand(1, 1, noJob)
    .strict()
    .option('config', { type: 'string', describe: 'Options from a file, JSON or YAML (FILE)' })
    .options(yargsOptions(optionsOf(commonOptionNames)))
    .group(['config', ...commonOptionNames, 'help', 'version'], 'Options of every job:')
    .check((argv) => argv._.length <= 1 || `Unknown argument: ${argv._.slice(1).join(' ')}`)
    .version(programPackage().version)
    .wrap(Math.min(columnsOf(process.stdout), 120))
    .epilogue(epilogue())
    .fail((message, error) => {
      if (error instanceof Error) throw error;
      throw usageError(message, args);
    })
    .parseAsync();
}

/** yargs names unknown options without their dashes, and takes an unknown job for an argument. */
function usageError(message: string, args: readonly string[]): ReportedError {
  const [first = ''] = args;
  const unknown = unknownIn(message, args);
  if (unknown === null)
    return new UsageError(message, `Give one of ${allJobs.join(', ')}; see ${name} --help.`);
  const job = allJobs.find((one) => one === first);
  if (!first.startsWith('-') && job === undefined) {
    const meant = closest(first, allJobs);
    return new UsageError(
      `There is no job ${JSON.stringify(first)}`,
      `${meant === null ? '' : `Did you mean ${meant}? `}Give one of ${allJobs.join(', ')}.`,
    );
  }
  const problem = unknownOptions(unknown, args, job);
  if (job === undefined) return problem;
  // Whoever corrects this one is not to hear of the next one only then. yargs stops before it knows the values.
  const known = Object.fromEntries(tableOf(job));
  const flags = yargs(args)
    .parserConfiguration(wordRules)
    .options(yargsOptions(known))
    .help(false)
    .parseSync();
  const { problems } = judgedOptions(job, surroundings(flags));
  return problems.length === 0 ? problem : together([problem, ...problems]);
}

function unknownOptions(
  unknown: readonly string[],
  args: readonly string[],
  job: Job | undefined,
): UsageError {
  const shown = unknown.map((one) => args.find((arg) => optionIn(arg) === one)?.split('=')[0] ?? one);
  const ofQuestions = job === 'query' ? parameterNames() : [];
  const known = job === undefined ? allOptionNames : [...tableOf(job).keys(), ...ofQuestions, 'config'];
  const meant = shown.flatMap((one) => (one.startsWith('--') ? (closest(one.slice(2), known) ?? []) : []));
  const question = meant.length === 0 ? '' : `Did you mean ${meant.map((one) => `--${one}`).join(', ')}? `;
  return new UsageError(
    `Unknown: ${[...new Set(shown)].join(', ')}`,
    `${question}See ${name} ${job === undefined ? '' : `${job} `}--help for the options there are.`,
  );
}

const noJob = 'No job was given';

/** What the command line holds that is not known, by its names; null: something else is wrong with it. */
function unknownIn(message: string, args: readonly string[]): readonly string[] | null {
  const [, names] = /^Unknown arguments?: (.+)$/s.exec(message) ?? [];
  if (names !== undefined) return names.split(', ');
  if (message !== noJob) return null;
  // Without a job, yargs does not come to judge the options.
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
    'Every option may also be given as BACKUP_COPY_EXPORT_<OPTION> in the environment, such as',
    'BACKUP_COPY_EXPORT_LAKE, or in the file of --config, such as lake: s3://bucket/prefix.',
    'Flags win over the environment, the environment over the file.',
    '',
    'Exit codes:',
    ...codes,
  ].join('\n');
}

/** Says once, on stderr, why the program ends: an error for people line by line, any other with its stack. */
function complain(error: unknown): void {
  process.exitCode = error instanceof ReportedError ? error.exitCode : 70;
  const text =
    error instanceof ReportedError
      ? `${name}: ${linesOf(error).map(printable).join('\n  ')}`
      : `${name}: internal error; please report it: ${error instanceof Error ? error.stack : String(error)}`;
  process.stderr.write(`${text}\n`);
}

function linesOf({ message, each }: ReportedError): readonly string[] {
  return each.length === 0 ? [message] : [`${each.length} options are wrong. Correct them:`, ...each];
}

function endNow(error: unknown): never {
  complain(error);
  process.exit(70);
}

/** Runs the job that the arguments name, says on stderr what is wrong, and ends the process with the job's exit code. */
export async function runCommandLine(args: readonly string[], commandLine: CommandLine): Promise<never> {
  process.on('uncaughtException', endNow);
  process.on('unhandledRejection', endNow);
  // What a job has done counts, not what stdout does with its report: no error of stdout ends a job.
  let unwritten: OutputError | null = null;
  process.stdout.on('error', (error) => {
    unwritten ??= outputProblem(error);
  });
  // Without stderr there is nobody left to tell.
  process.stderr.on('error', () => {});

  provideHome(process.env);
  let ended = false;
  process.on('exit', () => {
    // Node ends when nothing is left to wait for, even in the middle of a job.
    if (!ended && process.exitCode === undefined) endNow(new Error('the job ended without a result'));
  });
  try {
    await runJob(plainWords(args, switchNames), commandLine);
    // A stream tells of its error a turn after the write.
    await nextTurn();
    if (unwritten !== null && process.exitCode === undefined) complain(unwritten);
  } catch (error) {
    complain(error);
  }
  ended = true;
  process.exit();
}
