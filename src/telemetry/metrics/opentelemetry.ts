/**
 * Sends the metrics and the trace of a run by OTLP, with the official SDK. It is configured by the standard variables:
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ and
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
import { type Attributes, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { Signals } from './otel-signals.ts';
import type { Metric, Unit } from './run-metrics.ts';

/** A part of a run, in milliseconds since the epoch. */
export interface Span {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly attributes: Attributes;
  readonly failed: boolean;
  readonly children: readonly Span[];
}

export interface Sent {
  readonly signals: Signals;
  readonly version: string;
  readonly metrics: readonly Metric[];
  readonly root: Span;
  /** Attributes of every metric. */
  readonly attributes: Attributes;
  /** How long a collector may keep the program. */
  readonly boundMs: number;
}

/**
 * Resolves when everything was delivered, after `boundMs` at the latest.
 * @returns what could not be delivered, in words; empty if all was
 */
export async function send({
  signals,
  version,
  metrics,
  root,
  attributes,
  boundMs,
}: Sent): Promise<readonly string[]> {
  const resource = resourceFromAttributes({
    'service.name': 'backup-copy-export',
    'service.version': version,
  }).merge(detectResources({ detectors: [envDetector] }));
  const jobs: Promise<string | null>[] = [];
  if (signals.metrics)
    jobs.push(problemOf('metrics', sendMetrics(resource, metrics, attributes, boundMs), boundMs));
  if (signals.traces) jobs.push(problemOf('the trace', sendTrace(resource, root, boundMs), boundMs));
  return (await Promise.all(jobs)).filter((problem) => problem !== null);
}

type Resource = ReturnType<typeof resourceFromAttributes>;

const otelUnits: Readonly<Record<Unit, string>> = {
  Count: '1',
  Milliseconds: 'ms',
  Bytes: 'By',
  Percent: '%',
  None: '1',
};

/** Collected once, at the end of the run. */
class FinalReader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

async function sendMetrics(
  resource: Resource,
  metrics: readonly Metric[],
  attributes: Attributes,
  boundMs: number,
): Promise<void> {
  const exporter = new OTLPMetricExporter({ timeoutMillis: boundMs });
  const reader = new FinalReader({
    aggregationTemporalitySelector: (kind) => exporter.selectAggregationTemporality(kind),
  });
  const provider = new MeterProvider({ resource, readers: [reader] });
  const meter = provider.getMeter('backup-copy-export');
  for (const { otelName, unit, description, value, by } of metrics) {
    const split = by === undefined ? {} : { [by.dimension.toLowerCase()]: by.value };
    meter
      .createGauge(otelName, { unit: otelUnits[unit], description })
      .record(value, { ...attributes, ...split });
  }
  const { resourceMetrics, errors } = await reader.collect();
  if (errors.length > 0) throw errors[0];
  await delivered((done) => exporter.export(resourceMetrics, done));
}

async function sendTrace(resource: Resource, root: Span, boundMs: number): Promise<void> {
  const kept = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor(kept)] });
  const tracer = provider.getTracer('backup-copy-export');
  const record = ({ name, from, to, attributes, failed, children }: Span, parent = ROOT_CONTEXT): void => {
    const span = tracer.startSpan(name, { startTime: from, attributes }, parent);
    for (const child of children) record(child, trace.setSpan(parent, span));
    if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(to);
  };
  record(root);
  await provider.forceFlush();
  const exporter = new OTLPTraceExporter({ timeoutMillis: boundMs });
  await delivered((done) => exporter.export(kept.getFinishedSpans(), done));
}

interface Result {
  readonly code: number;
  readonly error?: Error;
}

function delivered(send: (done: (result: Result) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    send(({ code, error }) => {
      if (code === 0) resolve();
      else reject(error ?? new Error('the collector did not take it'));
    });
  });
}

async function problemOf(what: string, sending: Promise<void>, boundMs: number): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${boundMs / 1000} s`)), boundMs);
  });
  try {
    await Promise.race([sending, tooLate]);
    return null;
  } catch (error) {
    return `${what}: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    clearTimeout(timer);
  }
}
