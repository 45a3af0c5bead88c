/** Whether the standard variables ask for OpenTelemetry. Reading them loads nothing of its SDK. */

export interface Signals {
  readonly metrics: boolean;
  readonly traces: boolean;
}

/** Null: nobody asks. */
export function otelSignals(env: Readonly<Record<string, string | undefined>>): Signals | null {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return null;
  const everywhere = isSet(env.OTEL_EXPORTER_OTLP_ENDPOINT);
  const signals = {
    metrics:
      (everywhere || isSet(env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT)) && env.OTEL_METRICS_EXPORTER !== 'none',
    traces:
      (everywhere || isSet(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)) && env.OTEL_TRACES_EXPORTER !== 'none',
  };
  return signals.metrics || signals.traces ? signals : null;
}

/** The protocol that is asked for and not spoken; null: it is. */
export function foreignProtocol(env: Readonly<Record<string, string | undefined>>): string | null {
  const asked = [
    env.OTEL_EXPORTER_OTLP_PROTOCOL,
    env.OTEL_EXPORTER_OTLP_METRICS_PROTOCOL,
    env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
  ];
  return asked.find((one) => isSet(one) && one !== 'http/protobuf') ?? null;
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== '';
}
