/** The metrics and the trace of a real run, in a collector made of the OpenTelemetry project's own parts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunSummary } from '../../../src/telemetry/run-summary.ts';
import { type Lab, openLab } from '../../support/lab.ts';
import { goProgram } from '../go.ts';

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(),
      );
    });
  });
}

let lab: Lab;
let collector: ChildProcess | undefined;
let summary: RunSummary;
let stderr: string;
let metricsFile: string;
let tracesFile: string;

beforeAll(async () => {
  const binary = await goProgram(join(import.meta.dirname, 'collector'), 'collector');
  lab = await openLab();
  lab.simulator.addFaults([{ kind: 'deny', api: 'ListCopyJobs', account: lab.member(0) }]);
  const port = await freePort();
  metricsFile = join(lab.folder, 'metrics.json');
  tracesFile = join(lab.folder, 'traces.json');
  const config = join(lab.folder, 'collector.yaml');
  await writeFile(
    config,
    `receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
exporters: { file/metrics: { path: ${metricsFile} }, file/traces: { path: ${tracesFile} } }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    metrics: { receivers: [otlp], exporters: [file/metrics] }
    traces: { receivers: [otlp], exporters: [file/traces] }
`,
  );
  const started = spawn(binary, ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  collector = started;
  await new Promise<void>((resolve, reject) => {
    let said = '';
    started.once('exit', () => reject(new Error(`the collector stopped: ${said}`)));
    started.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('Everything is ready')) resolve();
    });
  });
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${port}`;
  process.env.OTEL_RESOURCE_ATTRIBUTES = 'deployment.environment.name=test';
  const ended = await lab.start().ended;
  stderr = ended.stderr;
  expect({ code: ended.code, stderr }).toMatchObject({ code: 77 });
  summary = JSON.parse(ended.stdout);
}, 30 * 60_000);

afterAll(async () => {
  delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
  delete process.env.OTEL_RESOURCE_ATTRIBUTES;
  collector?.kill();
  await lab?.close();
});

/** The collector's JSON of OTLP, as soon as it is there. */
async function received(file: string) {
  for (;;) {
    const [line] = (await readFile(file, 'utf8').catch(() => '')).split('\n');
    if (line !== undefined && line !== '') return JSON.parse(line);
    await wait(50);
  }
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string };
}
const attribute = (attributes: readonly Attribute[], key: string) =>
  attributes.find((one) => one.key === key)?.value.stringValue;

it('has every metric, with the values of the summary', async () => {
  const { resourceMetrics } = await received(metricsFile);
  const [{ resource, scopeMetrics }] = resourceMetrics;
  expect(attribute(resource.attributes, 'service.name')).toBe('backup-copy-export');
  expect(attribute(resource.attributes, 'deployment.environment.name')).toBe('test');
  const found = new Map<string, number>();
  for (const { name, gauge } of scopeMetrics[0].metrics) {
    for (const { attributes, asDouble, asInt } of gauge.dataPoints) {
      expect(attribute(attributes, 'backup_copy_export.lake')).toBe(lab.lake);
      const split = attribute(attributes, 'status') ?? attribute(attributes, 'phase');
      found.set(split === undefined ? name : `${name} ${split}`, Number(asInt ?? asDouble));
    }
  }
  const of = (name: string) => found.get(`backup_copy_export.${name}`);
  expect(of('runs')).toBe(1);
  expect(of('exit_code')).toBe(77);
  expect(of('targets')).toBe(summary.targets);
  expect(of('pages')).toBe(summary.reading.pages);
  expect(of('rows')).toBe(summary.reading.rows);
  expect(of('hours_to_data_loss')).toBe(0);
  expect(of('lost_intervals')).toBe(0);
  expect(of('bytes.written')).toBeGreaterThan(0);
  for (const [status, drains] of Object.entries(summary.coverage))
    expect(of(`drains ${status}`)).toBe(drains);
  for (const [phase, ms] of Object.entries(summary.phases_ms)) expect(of(`phase.duration ${phase}`)).toBe(ms);
});

it('has one trace of the run, with a span for each phase and each drain', async () => {
  const { resourceSpans } = await received(tracesFile);
  const spans: {
    traceId: string;
    spanId: string;
    parentSpanId?: string;
    name: string;
    startTimeUnixNano: string;
    endTimeUnixNano: string;
    attributes?: readonly Attribute[];
    status: { code?: number };
  }[] = resourceSpans[0].scopeSpans[0].spans;
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  const root = spans.find(({ parentSpanId }) => !parentSpanId);
  expect(root).toMatchObject({ name: 'export', status: { code: 2 } });
  expect(attribute(root?.attributes ?? [], 'backup_copy_export.run_id')).toBe(summary.run_id);
  const phases = spans.filter(({ parentSpanId }) => parentSpanId === root?.spanId);
  expect(phases.map(({ name }) => name).sort()).toEqual(['discover', 'drain', 'ledger', 'publish']);
  const drain = phases.find(({ name }) => name === 'drain');
  const drains = spans.filter(({ parentSpanId }) => parentSpanId === drain?.spanId);
  expect(drains).toHaveLength(Object.values(summary.coverage).reduce((sum, count) => sum + count, 0));
  const failed = drains.filter(({ status }) => status.code === 2);
  expect(new Set(failed.map((span) => attribute(span.attributes ?? [], 'cloud.account.id')))).toEqual(
    new Set([lab.member(0)]),
  );
  for (const { startTimeUnixNano: from, endTimeUnixNano: to } of spans)
    expect(BigInt(to) >= BigInt(from)).toBe(true);
});

it('was told without a warning', () => {
  expect(stderr).not.toContain('metrics_not_sent');
});
