/**
 * What surrounds a job that ends with a report: settings, log, progress, signals, the report on stdout, the
 * exit code. The edge of the program: the process's environment, clock and streams come in here.
 */
import type { ArgumentsCamelCase } from 'yargs';
import type { Job } from '../config/option.ts';
import { parseTelemetry, type SettingsInput } from '../config/settings.ts';
import { ReportedError, UnavailableError } from '../shared/errors.ts';
import type { ExitCode } from '../shared/exit-codes.ts';
import { programPackage } from '../shared/program-package.ts';
import { writeOut } from '../shared/standard-output.ts';
import type { JobIo } from '../telemetry/job-io.ts';
import { createLog } from '../telemetry/log.ts';
import { usesColor } from '../telemetry/paint.ts';
import { createProgress } from '../telemetry/progress.ts';
import { columnsOf, createScreen } from '../telemetry/screen.ts';
import { surroundings } from './options-input.ts';
import { stopSignals } from './signals.ts';

const whenStopping = {
  export: 'no new targets; what was read is published for up to 15 seconds',
  plan: 'no new targets',
  catalog: 'nothing more is changed',
};

const whenInterrupted = {
  export: ['before it had anything to publish', 'nothing is lost'],
  plan: ['before it knew the plan', 'it changes nothing'],
  catalog: ['before its end', 'what it has done stays, and is not done again'],
} as const;

/** A scheduler that sends SIGTERM kills after 30 s (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/); 20 is the promise. */
const endsWithinMs = 19_000;

/** What every job's settings hold, for what surrounds it. */
interface AnySettings {
  readonly externalId: string | null;
}

export interface ReportingJob<Settings extends AnySettings, Report extends { readonly exit_code: ExitCode }> {
  readonly job: Extract<Job, keyof typeof whenStopping>;
  readonly argv: ArgumentsCamelCase;
  readonly parse: (input: SettingsInput) => Settings;
  readonly run: (settings: Settings, io: JobIo) => Promise<Report>;
  /**
   * Whether the report is all that the job gives: it then ends with 74 instead of 0 when stdout does not take it. Any other
   * job keeps its exit code, for what it has done is done.
   */
  readonly reportIsAll: (settings: Settings) => boolean;
  /** The report for people, for a terminal of so many columns, with or without colours. */
  readonly render: (report: Report, columns: number, color: boolean) => string;
}

/**
 * Runs the job, prints its report on stdout and sets the process's exit code.
 * @throws UsageError or ConfigError before there is a log; what goes wrong later is logged here
 */
export async function runReportingJob<
  Settings extends AnySettings,
  Report extends { readonly exit_code: ExitCode },
>({ job, argv, parse, run, reportIsAll, render }: ReportingJob<Settings, Report>): Promise<void> {
  const input = surroundings(argv);
  const telemetry = parseTelemetry(job, input);
  const settings = parse(input);
  const screen = createScreen(process.stderr);
  const terminal = process.stderr.isTTY === true;
  const automatic = terminal ? 'pretty' : 'json';
  const format = telemetry.logFormat === 'auto' ? automatic : telemetry.logFormat;
  const log = createLog({
    level: telemetry.logLevel,
    format,
    color: usesColor(process.stderr, process.env),
    secrets: secretsOf(settings, process.env),
    write: screen.write,
  });
  const progress = createProgress({ mode: telemetry.progress, screen, log, now: () => performance.now() });
  const signals = stopSignals({
    from: process,
    onFirst: (signal) => {
      log.warn(
        { event: 'stopping', signal },
        `${signal}: ${whenStopping[job]}. A second signal ends at once`,
      );
      setTimeout(() => {
        progress.stop();
        log.warn(
          { event: 'stopped', signal },
          'ended now, for not all of it ended in time; the lake is whole',
        );
        process.exit(75);
      }, endsWithinMs).unref();
    },
    onSecond: (signal) => {
      progress.stop();
      log.warn({ event: 'stopped', signal }, `${signal} again: ended at once; the lake is whole`);
      process.exit(75);
    },
  });
  // Whatever ends the process, the terminal gets its cursor back.
  process.on('exit', progress.stop);
  try {
    const report = await run(settings, {
      log,
      progress,
      stopping: signals.stopping,
      programVersion: programPackage().version,
    });
    progress.stop();
    const text =
      telemetry.output === 'json'
        ? `${JSON.stringify(report)}\n`
        : render(report, columnsOf(process.stdout), usesColor(process.stdout, process.env));
    process.exitCode = report.exit_code;
    try {
      await writeOut(process.stdout, text);
    } catch (error) {
      if (report.exit_code === 0 && reportIsAll(settings)) throw error;
      log.error(
        { event: 'result_not_written', err: error, exit_code: report.exit_code },
        `the result could not be written to stdout; the exit code ${report.exit_code} says what the job did`,
      );
    }
  } catch (error) {
    progress.stop();
    const known =
      signals.stopping.aborted && !(error instanceof ReportedError) ? interrupted(job, error) : error;
    process.exitCode = known instanceof ReportedError ? known.exitCode : 70;
    if (!log.isLevelEnabled('fatal')) throw known;
    // Its message says everything that a person needs; a machine also finds it under err, as in any line.
    const once = format === 'pretty' && known instanceof ReportedError;
    log.fatal({ ...(once ? {} : { err: known }), exit_code: process.exitCode }, messageOf(known));
  } finally {
    process.off('exit', progress.stop);
    signals.dispose();
  }
}

function interrupted(job: keyof typeof whenInterrupted, cause: unknown): UnavailableError {
  const [when, then] = whenInterrupted[job];
  return new UnavailableError(`The run was interrupted ${when}`, `Run it again; ${then}.`, { cause });
}

function messageOf(error: unknown): string {
  if (error instanceof ReportedError) return error.message;
  return `Internal error: ${error instanceof Error ? error.message : String(error)}. Please report it with this line`;
}

function secretsOf({ externalId }: AnySettings, env: NodeJS.ProcessEnv): readonly string[] {
  const { AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_CONTAINER_AUTHORIZATION_TOKEN } = env;
  return [externalId, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_CONTAINER_AUTHORIZATION_TOKEN].filter(
    (one) => typeof one === 'string',
  );
}
