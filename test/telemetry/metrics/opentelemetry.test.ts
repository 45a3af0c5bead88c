/** When OpenTelemetry is asked for; and a collector that is down or silent never fails a run, nor delays it beyond a bound. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Span, send } from '../../../src/telemetry/metrics/opentelemetry.ts';
import { foreignProtocol, otelSignals } from '../../../src/telemetry/metrics/otel-signals.ts';
import { endMetrics } from '../../../src/telemetry/metrics/run-metrics.ts';

const endpoint = 'http://127.0.0.1:4318';

describe('the standard variables', () => {
  it.each([
    ['nothing', {}, null],
    ['an empty endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, null],
    ['an endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }, { metrics: true, traces: true }],
    ['one for traces', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint }, { metrics: false, traces: true }],
    ['one for metrics', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: endpoint }, { metrics: true, traces: false }],
    [
      'no exporter for traces',
      { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_EXPORTER: 'none' },
      { metrics: true, traces: false },
    ],
    ['a disabled SDK', { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SDK_DISABLED: 'TRUE' }, null],
  ])('%s', (_, env, signals) => {
    expect(otelSignals(env)).toEqual(signals);
  });

  it('may ask for a protocol that is not spoken', () => {
    expect(foreignProtocol({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' })).toBeNull();
    expect(foreignProtocol({})).toBeNull();
    expect(foreignProtocol({ OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' })).toBe('grpc');
  });
});

const root: Span = { name: 'export', from: 0, to: 1, attributes: {}, failed: false, children: [] };
const sent = {
  signals: { metrics: true, traces: true },
  version: '0.0.0-test',
  metrics: endMetrics(0),
  root,
  attributes: {},
  boundMs: 500,
};
const variable = 'OTEL_EXPORTER_OTLP_ENDPOINT';
let server: Server | undefined;

afterEach(() => {
  delete process.env[variable];
  server?.closeAllConnections();
  server?.close();
});

async function listening(answer: Parameters<typeof createServer>[1]): Promise<void> {
  server = createServer(answer ?? (() => undefined));
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  // Safe: it listens on a port.
  const { port } = server.address() as AddressInfo;
  process.env[variable] = `http://127.0.0.1:${port}`;
}

describe('a collector', () => {
  it('that refuses is told of, for both signals', async () => {
    await listening((_, response) => response.writeHead(400).end('no'));
    const problems = await send(sent);
    expect(problems).toHaveLength(2);
    expect(problems.join('\n')).toMatch(/^metrics: .*\nthe trace: /);
  });

  it('that never answers is given up after a bound', async () => {
    const asked: string[] = [];
    await listening((request) => asked.push(String(request.url)));
    const begun = performance.now();
    const problems = await send(sent);
    expect(problems).toHaveLength(2);
    expect(asked.sort()).toEqual(['/v1/metrics', '/v1/traces']);
    // Far more than the bound, for a machine that is busy; the server would never answer.
    expect(performance.now() - begun).toBeLessThan(30_000);
  });

  it('that is not there is told of', async () => {
    await listening(() => undefined);
    server?.close();
    expect(await send(sent)).toHaveLength(2);
  });
});
