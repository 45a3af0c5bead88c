/** Which share of the accounts a process reads, and which processes of one night belong together. */
import { UsageError } from '../shared/errors.ts';
import { InvalidValue } from './invalid-value.ts';
import type { OptionInput, OptionReader } from './layers.ts';
import { environmentName } from './options.ts';
import { shardOf } from './shard-name.ts';
import type { Shard } from './typed-values.ts';

/**
 * What the engines tell their containers. Kubernetes sets JOB_COMPLETION_INDEX in each pod of an Indexed Job, but no number of
 * completions (kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode). AWS Batch sets index and size
 * (docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html).
 */
const engines = [
  { index: 'JOB_COMPLETION_INDEX', count: null, of: 'a pod of a Kubernetes Indexed Job' },
  {
    index: 'AWS_BATCH_JOB_ARRAY_INDEX',
    count: 'AWS_BATCH_JOB_ARRAY_SIZE',
    of: 'a child of an AWS Batch array job',
  },
] as const;

/** @throws UsageError when the options and the engine's variables do not say which shard this is */
export function readShard({ optional }: OptionReader, env: OptionInput['env']): Shard | null {
  const given = optional('shard');
  const shards = optional('shards');
  if (given !== null) {
    if (shards === null || shards === given.count) return given;
    throw new UsageError(
      `--shard ${given.index}/${given.count} and --shards ${shards} name different numbers of shards`,
      'Omit --shards: --shard says both.',
    );
  }
  const engine = engines.find(({ index }) => env[index] !== undefined);
  if (engine === undefined) {
    if (shards === null) return null;
    throw new UsageError(
      `--shards ${shards} says how many shards there are, but nothing says which one this is`,
      `Set --shard, such as --shard 0/${shards}, or run it where ${engines.map(({ index }) => index).join(' or ')} is set.`,
    );
  }
  const index = env[engine.index] ?? '';
  const count = shards === null ? (engine.count === null ? undefined : env[engine.count]) : String(shards);
  if (count === undefined) {
    throw new UsageError(
      `${engine.index} is ${index}: this is ${engine.of}, but nothing says how many there are`,
      `Set ${environmentName('shards')} to that number (1: this process reads everything), or set --shard.`,
    );
  }
  try {
    return shardOf(`${index}/${count}`);
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error;
    throw new UsageError(
      `${engine.index} is ${JSON.stringify(index)} and the number of shards ${JSON.stringify(count)}: this is no shard`,
      `${engine.index} begins with 0 and is less than the number of shards. Give the job as many indexes as there are shards.`,
    );
  }
}

/**
 * The name that all shards of one night share; null: nobody gave one. All children of an AWS Batch array job have its id, with
 * their index after a colon (docs.aws.amazon.com/batch/latest/userguide/array_jobs.html).
 */
export function readNight(
  { optional }: OptionReader,
  env: OptionInput['env'],
  shard: Shard | null,
): string | null {
  const night = optional('night');
  if (shard === null) {
    if (night === null) return null;
    throw new UsageError(
      `--night ${night} joins the shards of one night, but this is no shard`,
      'Omit --night, or set --shard.',
    );
  }
  if (night !== null) return night;
  const [, job] = /^([\w.-]{1,200}):\d+$/.exec(env.AWS_BATCH_JOB_ID ?? '') ?? [];
  return job ?? null;
}
