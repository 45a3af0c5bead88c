/** A run whose metrics and trace are sent on, where somebody asks for them. Otherwise nothing of that is loaded. */
import { lakeName } from '../config/lake-name.ts';
import type { Settings } from '../config/settings.ts';
import { ReportedError } from '../shared/errors.ts';
import type { JobIo, JobSurroundings } from '../telemetry/job-io.ts';
import { type Observation, observedProgress } from '../telemetry/metrics/observed-progress.ts';
import type { Span } from '../telemetry/metrics/opentelemetry.ts';
import { foreignProtocol, otelSignals, type Signals } from '../telemetry/metrics/otel-signals.ts';
import type { Metric } from '../telemetry/metrics/run-metrics.ts';
import type { RunSummary } from '../telemetry/run-summary.ts';
import { runExport } from './export.ts';
import { type StartedRun, startRun } from './start-run.ts';

/** How long a collector may delay the end of a run. */
const collectorBoundMs = 5_000;

/** @throws what {@link runExport} throws; never because of a metric */
export async function runMeasuredExport(
  settings: Settings,
  io: JobIo,
  around: JobSurroundings,
  start: StartedRun = startRun(settings, io),
): Promise<RunSummary> {
  const signals = otelSignals(around.env);
  if (settings.metrics === 'none' && signals === null) return runExport(settings, io, start);
  const from = Math.round(Date.now() - (performance.now() - start.started));
  const { progress, observation } = observedProgress(io.progress, () => Date.now());
  const report = async (summary: RunSummary | null, exitCode: number): Promise<void> => {
    const run: EndedRun = { summary, exitCode, from, to: Date.now(), observation: observation() };
    try {
      await sendOn(settings, io, around, signals, run);
    } catch (error) {
      io.log.warn({ event: 'metrics_not_sent', err: error }, 'the metrics of this run could not be made');
    }
  };
  try {
    const summary = await runExport(settings, { ...io, progress }, start);
    await report(summary, summary.exit_code);
    return summary;
  } catch (error) {
    await report(null, error instanceof ReportedError ? error.exitCode : 70);
    throw error;
  }
}

interface EndedRun {
  /** Null: the run could not begin, or could not report. */
  readonly summary: RunSummary | null;
  readonly exitCode: number;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly observation: Observation;
}

async function sendOn(
  settings: Settings,
  { log, programVersion }: JobIo,
  { env, write }: JobSurroundings,
  signals: Signals | null,
  run: EndedRun,
): Promise<void> {
  const { summary, exitCode, observation } = run;
  const { endMetrics, runMetrics } = await import('../telemetry/metrics/run-metrics.ts');
  const metrics: readonly Metric[] =
    summary === null ? endMetrics(exitCode) : runMetrics(summary, observation);
  const lake = summary?.lake ?? lakeName(settings.lake);
  const runId = summary?.run_id ?? null;
  if (settings.metrics === 'emf') {
    const { emfLines } = await import('../telemetry/metrics/emf.ts');
    // AWS's time where it is known: the local clock may be wrong.
    const timestamp = summary === null ? run.to : Date.parse(summary.as_of) + summary.duration_ms;
    const { shard } = settings;
    for (const line of emfLines(metrics, { lake, runId, shard, timestamp })) write(`${line}\n`);
  }
  if (signals === null) return;
  const foreign = foreignProtocol(env);
  if (foreign !== null) {
    const about = { event: 'metrics_not_sent', protocol: foreign };
    log.warn(
      about,
      'OpenTelemetry data was not sent: this program speaks http/protobuf. Set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf',
    );
    return;
  }
  const { send } = await import('../telemetry/metrics/opentelemetry.ts');
  const problems = await send({
    signals,
    version: programVersion,
    metrics,
    root: spanOf(run, lake),
    attributes: { 'backup_copy_export.lake': lake },
    boundMs: collectorBoundMs,
  });
  if (problems.length > 0) {
    log.warn(
      { event: 'metrics_not_sent', problems },
      'OpenTelemetry data could not be sent; the run itself is not affected',
    );
  }
}

/** The run, its phases, and its longest drains. */
function spanOf({ summary, exitCode, from, to, observation }: EndedRun, lake: string): Span {
  const name = (what: string) => `backup_copy_export.${what}`;
  const root = {
    name: 'export',
    from,
    to,
    failed: exitCode !== 0,
    attributes: {
      [name('lake')]: lake,
      [name('exit_code')]: exitCode,
      ...(summary === null ? {} : { [name('run_id')]: summary.run_id, [name('targets')]: summary.targets }),
    },
  };
  if (summary === null) return { ...root, children: [] };
  const { discover, drain, ledger } = summary.phases_ms;
  const phase = (what: string, begin: number, end: number, children: readonly Span[] = []): Span => {
    return { name: what, from: begin, to: Math.max(begin, end), failed: false, attributes: {}, children };
  };
  const drains = observation.drains.map(
    ({ drain: { table, target }, from: begin, to: end, pages, ok }): Span => ({
      name: `drain ${table}`,
      from: begin,
      to: end,
      failed: !ok,
      attributes: {
        'cloud.account.id': target.accountId,
        'cloud.region': target.region,
        [name('table')]: table,
        [name('pages')]: pages,
      },
      children: [],
    }),
  );
  const draining = phase('drain', from + discover, from + discover + drain, drains);
  const { published, drainsLeftOut } = observation;
  return {
    ...root,
    children: [
      phase('discover', from, from + discover),
      { ...draining, attributes: { [name('drains_left_out')]: drainsLeftOut } },
      ...(published === null ? [] : [phase('publish', published.from, published.to)]),
      phase('ledger', from + summary.duration_ms - ledger, from + summary.duration_ms),
    ],
  };
}
