/**
 * Runs a job that ends with a report: parses settings, sets up log, progress and signals, prints the report on stdout
 * and sets the exit code. The process's environment, clock and streams enter the program here.
 */
import type { ArgumentsCamelCase } from 'yargs';
import type { Job } from '../config/option.ts';
import { parseTelemetry, type SettingsInput } from '../config/settings.ts';
import { ReportedError, UnavailableError } from '../shared/errors.ts';
import type { ExitCode } from '../shared/exit-codes.ts';
import { programPackage } from '../shared/program-package.ts';
import { writeOut } from '../shared/standard-output.ts';
import type { JobIo, JobSurroundings } from '../telemetry/job-io.ts';
import { createProgress } from '../telemetry/progress.ts';
import { columnsOf, createScreen } from '../telemetry/screen.ts';
import { usesColor } from '../telemetry/status-colors.ts';
import { endAtOnce } from './end-at-once.ts';
import { openJobLog } from './job-log.ts';
import { processInput } from './process-input.ts';
import { stopSignals } from './signals.ts';

const whenStopping = {
  export: 'stopping; no new targets are read, and up to 15 seconds go to publishing what was read',
  plan: 'stopping; no new targets are tested',
  catalog: 'stopping; nothing more is changed',
  status: 'stopping; nothing more is read',
  verify: 'stopping; nothing more is read',
  repair: 'stopping; nothing more is changed',
  rebucket: 'stopping; run it again, and it goes on where it stopped',
};

const whenInterrupted = {
  export: ['before it had anything to publish', 'nothing is lost'],
  plan: ['before the plan was complete', 'a plan changes nothing'],
  verify: ['before it had read what was asked', 'it changes nothing in the lake'],
  repair: ['before it finished', 'what it restored stays'],
  rebucket: ['before it finished', 'no row is lost; run it again, and it goes on where it stopped'],
  catalog: ['before it finished', 'the finished changes stay and are not repeated'],
  status: ['before the report was complete', 'it changes nothing in the tables'],
} as const;

/** Kubernetes kills 30 s after SIGTERM (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/); the program promises 20 s. */
const endsWithinMs = 19_000;

/** The setting that every job has and that must not appear in the log. */
interface AnySettings {
  readonly externalId: string | null;
}

export interface ReportingJob<Settings extends AnySettings, Report extends { readonly exit_code: ExitCode }> {
  readonly job: Extract<Job, keyof typeof whenStopping>;
  readonly argv: ArgumentsCamelCase;
  readonly parse: (input: SettingsInput) => Settings;
  readonly run: (settings: Settings, io: JobIo, around: JobSurroundings) => Promise<Report>;
  /** For a job with a deadline: after so many milliseconds the program logs `whenOver` and ends. */
  readonly timeLimit?: (settings: Settings) => { readonly ms: number; readonly whenOver: string };
  /**
   * Whether the report is the job's only result. If it is, and stdout fails, the job ends with 74 instead of 0. Any other
   * job keeps its exit code, because its work is done.
   */
  readonly reportIsAll: (settings: Settings) => boolean;
  /** The report as text for a terminal of that width, with or without colours. */
  readonly render: (report: Report, columns: number, color: boolean) => Promise<string>;
  /** The report as an HTML page, for a job whose --output may be html. */
  readonly renderPage?: (report: Report) => Promise<string>;
}

/**
 * Runs the job, prints its report on stdout and sets the process's exit code.
 * @throws UsageError or ConfigError before the log exists; later errors are logged
 */
export async function runReportingJob<
  Settings extends AnySettings,
  Report extends { readonly exit_code: ExitCode },
>({
  job,
  argv,
  parse,
  run,
  timeLimit,
  reportIsAll,
  render,
  renderPage,
}: ReportingJob<Settings, Report>): Promise<void> {
  const input = processInput(argv);
  const telemetry = parseTelemetry(job, input);
  const settings = parse(input);
  const screen = createScreen(process.stderr);
  const { log, format } = openJobLog(telemetry, settings, input.env, screen.write);
  const progress = await createProgress({
    mode: telemetry.progress,
    screen,
    log,
    now: () => performance.now(),
  });
  const signals = stopSignals({
    from: process,
    onFirst: (signal) => {
      log.warn(
        { event: 'stopping', signal },
        `received ${signal}: ${whenStopping[job]}. A second signal stops the program at once`,
      );
      setTimeout(() => {
        progress.stop();
        log.warn(
          { event: 'stopped', signal },
          'some work did not finish in time; exiting now. The lake is consistent',
        );
        endAtOnce(75);
      }, endsWithinMs).unref();
    },
    onSecond: (signal) => {
      progress.stop();
      log.warn(
        { event: 'stopped', signal },
        `received ${signal} again: exiting at once. The lake is consistent`,
      );
      endAtOnce(75);
    },
  });
  const limit = timeLimit?.(settings);
  const limitTimer =
    limit &&
    setTimeout(() => {
      progress.stop();
      log.error({ event: 'stopped', exit_code: 75 }, limit.whenOver);
      endAtOnce(75);
    }, limit.ms).unref();
  // Restores the terminal's cursor, however the process ends.
  process.on('exit', progress.stop);
  try {
    const report = await run(
      settings,
      { log, progress, stopping: signals.stopping, programVersion: programPackage().version },
      { env: input.env, write: screen.write },
    );
    progress.stop();
    const text =
      telemetry.output === 'json'
        ? `${JSON.stringify(report)}\n`
        : telemetry.output === 'html' && renderPage !== undefined
          ? await renderPage(report)
          : await render(report, columnsOf(process.stdout), usesColor(process.stdout, input.env));
    process.exitCode = report.exit_code;
    try {
      await writeOut(process.stdout, text);
    } catch (error) {
      if (report.exit_code === 0 && reportIsAll(settings)) throw error;
      log.error(
        { event: 'result_not_written', err: error, exit_code: report.exit_code },
        `the result could not be written to stdout; the job itself ended with exit code ${report.exit_code}`,
      );
    }
  } catch (error) {
    progress.stop();
    const known =
      signals.stopping.aborted && !(error instanceof ReportedError) ? interrupted(job, error) : error;
    process.exitCode = known instanceof ReportedError ? known.exitCode : 70;
    if (!log.isLevelEnabled('fatal')) throw known;
    // For people the message is enough; the JSON log also has the error under `err`, as every line does.
    const once = format === 'pretty' && known instanceof ReportedError;
    log.fatal({ ...(once ? {} : { err: known }), exit_code: process.exitCode }, messageOf(known));
  } finally {
    process.off('exit', progress.stop);
    clearTimeout(limitTimer);
    signals.dispose();
  }
}

function interrupted(job: keyof typeof whenInterrupted, cause: unknown): UnavailableError {
  const [when, then] = whenInterrupted[job];
  return new UnavailableError(`The job was interrupted ${when}`, `Run it again; ${then}.`, { cause });
}

function messageOf(error: unknown): string {
  if (error instanceof ReportedError) return error.message;
  return `internal error: ${error instanceof Error ? error.message : String(error)}. Please report it with this log line`;
}
