/** The settings of `status`. */
import { type LakeSettings, readLakeSettings } from '../config/lake-settings.ts';
import { collectOptions, optionReader } from '../config/layers.ts';
import { refuseInLake } from '../config/outside-lake.ts';
import { refuseS3OptionsForLocalLake } from '../config/s3-only-options.ts';
import { deepFreeze, type SettingsInput } from '../config/settings.ts';

export interface StatusSettings extends LakeSettings {
  readonly warnWithinMs: number;
  readonly staleAfterMs: number;
  /** Epoch milliseconds, or a span before now; null: see Acknowledged. */
  readonly lostSince: { readonly epochMs: number } | { readonly agoMs: number } | null;
  /** Epoch milliseconds; null: now. */
  readonly asOf: number | null;
  readonly acknowledge: boolean;
  readonly excludeAccounts: readonly string[];
  readonly memoryLimitBytes: number;
  readonly scratchLimitBytes: number;
}

/** @throws UsageError or ConfigError */
export function parseStatusSettings(input: SettingsInput): StatusSettings {
  const layered = collectOptions('status', input);
  const read = optionReader(layered, input.cwd);
  const { optional, required } = read;
  const lakeSettings = readLakeSettings(read, input.temporaryFolder);
  refuseS3OptionsForLocalLake(lakeSettings.lake, layered);
  refuseInLake('scratch', lakeSettings.scratch, lakeSettings.lake, layered);
  return deepFreeze({
    ...lakeSettings,
    warnWithinMs: required('warn-within'),
    staleAfterMs: required('stale-after'),
    lostSince: optional('lost-since'),
    asOf: optional('as-of'),
    acknowledge: required('acknowledge'),
    excludeAccounts: optional('exclude-accounts') ?? [],
    memoryLimitBytes: required('memory-limit'),
    scratchLimitBytes: required('scratch-limit'),
  });
}
