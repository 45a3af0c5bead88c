/** The settings of `rebucket`. */
import { type Encryption, refuseContradictoryEncryption } from '../config/encryption.ts';
import { type LakeSettings, readLakeSettings } from '../config/lake-settings.ts';
import { collectOptions, optionReader } from '../config/layers.ts';
import { refuseInLake } from '../config/outside-lake.ts';
import { refuseS3OptionsForLocalLake } from '../config/s3-only-options.ts';
import { deepFreeze, type SettingsInput } from '../config/settings.ts';
import { UsageError } from '../shared/errors.ts';

export interface RebucketSettings extends LakeSettings, Encryption {
  /** The new number. */
  readonly buckets: number;
  readonly ignoreUnfinishedRuns: boolean;
  readonly memoryLimitBytes: number;
  readonly scratchLimitBytes: number;
}

/** @throws UsageError or ConfigError */
export function parseRebucketSettings(input: SettingsInput): RebucketSettings {
  const layered = collectOptions('rebucket', input);
  const read = optionReader(layered, input.cwd);
  const { optional, required } = read;
  const settings: RebucketSettings = {
    ...readLakeSettings(read, input.temporaryFolder),
    buckets: required('buckets'),
    ignoreUnfinishedRuns: required('ignore-unfinished-runs'),
    memoryLimitBytes: required('memory-limit'),
    scratchLimitBytes: required('scratch-limit'),
    sse: optional('sse'),
    kmsKeyId: optional('kms-key-id'),
    bucketKeyEnabled: optional('bucket-key-enabled'),
  };
  refuseContradictoryEncryption(settings, UsageError);
  refuseS3OptionsForLocalLake(settings.lake, layered);
  refuseInLake('scratch', settings.scratch, settings.lake, layered);
  return deepFreeze(settings);
}
