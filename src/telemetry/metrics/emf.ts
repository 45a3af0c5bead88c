/**
 * Metrics as lines in CloudWatch's embedded metric format:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import type { Shard } from '../../config/typed-values.ts';
import type { Metric } from './run-metrics.ts';

const emfNamespace = 'BackupCopyExport';

export interface EmfContext {
  /** The lake's URL or path, the dimension of every metric. */
  readonly lake: string;
  /** Null: the run could not begin. */
  readonly runId: string | null;
  /** Null: the run is no shard. It is no dimension, because CloudWatch would bill every metric for every shard. */
  readonly shard: Shard | null;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
}

/** One line for the whole run, and one for each status and phase; each is a JSON object without a line end. */
export function emfLines(metrics: readonly Metric[], context: EmfContext): readonly string[] {
  const lines = Map.groupBy(metrics, ({ by }) => (by === undefined ? '' : `${by.dimension} ${by.value}`));
  return [...lines.values()].map((ones) => JSON.stringify(documentOf(ones, context)));
}

function documentOf(metrics: readonly Metric[], { lake, runId, shard, timestamp }: EmfContext) {
  const by = metrics[0]?.by;
  return {
    _aws: {
      Timestamp: Math.round(timestamp),
      CloudWatchMetrics: [
        {
          Namespace: emfNamespace,
          Dimensions: [by === undefined ? ['Lake'] : ['Lake', by.dimension]],
          Metrics: metrics.map(({ name, unit }) => ({ Name: name, Unit: unit })),
        },
      ],
    },
    Lake: dimensionValue(lake),
    ...(by === undefined ? {} : { [by.dimension]: by.value }),
    ...(runId === null ? {} : { run_id: runId }),
    ...(shard === null ? {} : { shard: `${shard.index}/${shard.count}` }),
    ...Object.fromEntries(metrics.map(({ name, value }) => [name, value])),
  };
}

/** CloudWatch takes 1 to 1024 ASCII characters, without control characters. */
function dimensionValue(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 1024) || '?';
}
