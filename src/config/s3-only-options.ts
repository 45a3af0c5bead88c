/** Rejects options that only apply to a lake on S3 when the lake is local. */
import { ConfigError, UsageError } from '../shared/errors.ts';
import type { LayeredOptions } from './layers.ts';
import { optionNames, optionOf } from './options.ts';
import type { LakeLocation } from './typed-values.ts';

/**
 * Whoever sets a bucket owner or a KMS key relies on it. A local lake would silently ignore both.
 * @throws UsageError, or ConfigError if all of them are set in the configuration file
 */
export function refuseS3OptionsForLocalLake(lake: LakeLocation, layered: LayeredOptions): void {
  if (lake.kind === 's3') return;
  const idle = optionNames.flatMap((name) => (optionOf(name).onlyOnS3 ? (layered.get(name)?.[0] ?? []) : []));
  if (idle.length === 0) return;
  const places = idle.map(({ where }) => where).join(' and ');
  const Class = idle.every(({ layer }) => layer === 'file') ? ConfigError : UsageError;
  throw new Class(
    `${places} ${idle.length === 1 ? 'applies' : 'apply'} only to a lake on S3, but ${lake.folder} is a local folder`,
    `Remove ${idle.length === 1 ? 'it' : 'them'}, or set --lake s3://bucket/prefix.`,
  );
}
