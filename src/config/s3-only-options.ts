/** Options that mean something for a lake on S3 only. */
import { ConfigError, UsageError } from '../shared/errors.ts';
import type { GivenOptions } from './layers.ts';
import { optionNames, optionOf } from './options.ts';
import type { LakeLocation } from './typed-values.ts';

/**
 * Whoever gives the owner of a bucket or a key relies on it: with a local lake it would be ignored without a word.
 * @throws UsageError, or ConfigError where all of it stands in the file
 */
export function refuseS3OptionsForLocalLake(lake: LakeLocation, given: GivenOptions): void {
  if (lake.kind === 's3') return;
  const idle = optionNames.flatMap((name) => (optionOf(name).onlyOnS3 ? (given.get(name)?.[0] ?? []) : []));
  if (idle.length === 0) return;
  const places = idle.map(({ where }) => where).join(' and ');
  const Class = idle.every(({ layer }) => layer === 'file') ? ConfigError : UsageError;
  throw new Class(
    `${places} ${idle.length === 1 ? 'has' : 'have'} no effect on ${lake.folder}, which is a local folder`,
    'Leave out what is only for S3, or give --lake s3://bucket/prefix.',
  );
}
