/** The settings of `repair`. */
import { type Encryption, refuseContradictoryEncryption } from '../config/encryption.ts';
import { type LakeSettings, readLakeSettings } from '../config/lake-settings.ts';
import { collectOptions, optionReader } from '../config/layers.ts';
import { refuseInLake } from '../config/outside-lake.ts';
import { refuseS3OptionsForLocalLake } from '../config/s3-only-options.ts';
import { deepFreeze, type SettingsInput } from '../config/settings.ts';
import type { LakeLocation } from '../config/typed-values.ts';
import { UsageError } from '../shared/errors.ts';

export interface RepairSettings extends LakeSettings, Encryption {
  /** False: nothing is changed. */
  readonly apply: boolean;
  /** Runs that have begun and not ended are known to be dead. */
  readonly ignoreUnfinishedRuns: boolean;
  /** A copy of the lake to restore from; null: there is none. */
  readonly backup: LakeLocation | null;
  /** Files. Empty: signatures are not checked. */
  readonly publicKeys: readonly string[];
  readonly witness: LakeLocation | null;
  readonly scratchLimitBytes: number;
}

/** @throws UsageError or ConfigError */
export function parseRepairSettings(input: SettingsInput): RepairSettings {
  const layered = collectOptions('repair', input);
  const read = optionReader(layered, input.cwd);
  const { optional, required } = read;
  const settings: RepairSettings = {
    ...readLakeSettings(read, input.temporaryFolder),
    apply: required('apply'),
    ignoreUnfinishedRuns: required('ignore-unfinished-runs'),
    backup: optional('backup'),
    publicKeys: optional('public-key') ?? [],
    witness: optional('witness'),
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
