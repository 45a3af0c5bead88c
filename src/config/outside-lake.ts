/** Refuses a file or folder of this machine in a local lake: nothing but the lake's own objects may lie there. */
import { ConfigError, UsageError } from '../shared/errors.ts';
import type { LayeredOptions } from './layers.ts';
import { liesIn } from './real-place.ts';
import type { LakeLocation } from './typed-values.ts';

/** Options that name something that the program writes. */
export type WrittenOption = 'resume-file' | 'output-file' | 'scratch';

/**
 * @param path absolute; null: the option is not set
 * @throws UsageError, or ConfigError if the option is set in the configuration file
 */
export function refuseInLake(
  option: WrittenOption,
  path: string | null,
  lake: LakeLocation,
  layered: LayeredOptions,
): void {
  if (path === null || lake.kind === 's3' || !liesIn(path, lake.folder)) return;
  const set = layered.get(option)?.[0];
  const Class = set?.layer === 'file' ? ConfigError : UsageError;
  throw new Class(
    `${set?.where ?? `--${option}`} names ${path}, which lies in the lake ${lake.folder}`,
    `Name a ${option === 'scratch' ? 'folder' : 'file'} outside the lake: other programs read what lies there, and verify calls it foreign.`,
  );
}
