/** The settings of `verify`. */
import { type LakeSettings, readLakeSettings } from '../config/lake-settings.ts';
import { collectOptions, optionReader, readValue } from '../config/layers.ts';
import { refuseInLake } from '../config/outside-lake.ts';
import { refuseS3OptionsForLocalLake } from '../config/s3-only-options.ts';
import { deepFreeze, type SettingsInput } from '../config/settings.ts';
import type { LakeLocation, Since } from '../config/typed-values.ts';
import { verifyOptions } from '../config/verify-options.ts';
import { UsageError } from '../shared/errors.ts';

export interface VerifySettings extends LakeSettings {
  /** `auto` and `all` both mean every day: `auto` may come from a configuration file that serves `export` too. */
  readonly since: Since;
  /** Without a number: the slice of the current UTC day. */
  readonly subset: { readonly number: number | null; readonly of: number } | null;
  readonly quick: boolean;
  /** Null: until all is read. */
  readonly maxDurationMs: number | null;
  /** Absolute; where a look that ran out of time leaves its place. */
  readonly resumeFile: string | null;
  readonly scratchLimitBytes: number;
  /** Files. Empty: signatures are not checked. */
  readonly publicKeys: readonly string[];
  readonly witness: LakeLocation | null;
}

/** A look at the whole lake, at every byte, until all is read. */
export const wholeLake = {
  since: { kind: 'all' },
  subset: null,
  quick: false,
  maxDurationMs: null,
  resumeFile: null,
} as const satisfies Partial<VerifySettings>;

/** @throws UsageError or ConfigError */
export function parseVerifySettings(input: SettingsInput): VerifySettings {
  const layered = collectOptions('verify', input);
  const { cwd } = input;
  const read = optionReader(layered, cwd);
  const lakeSettings = readLakeSettings(read, input.temporaryFolder);
  refuseS3OptionsForLocalLake(lakeSettings.lake, layered);
  refuseInLake('scratch', lakeSettings.scratch, lakeSettings.lake, layered);
  const settings: VerifySettings = {
    ...lakeSettings,
    since: readValue(layered, 'since', verifyOptions.since, cwd) ?? { kind: 'all' },
    subset: readValue(layered, 'subset', verifyOptions.subset, cwd),
    quick: readValue(layered, 'quick', verifyOptions.quick, cwd) === true,
    maxDurationMs: readValue(layered, 'max-duration', verifyOptions['max-duration'], cwd),
    resumeFile: readValue(layered, 'resume-file', verifyOptions['resume-file'], cwd),
    scratchLimitBytes: read.required('scratch-limit'),
    publicKeys: read.optional('public-key') ?? [],
    witness: read.optional('witness'),
  };
  refuseInLake('resume-file', settings.resumeFile, settings.lake, layered);
  if (settings.maxDurationMs !== null && settings.resumeFile === null) {
    throw new UsageError(
      '--max-duration needs a file that keeps the place where the time ran out',
      'Set --resume-file to a file outside the lake that the next look can read.',
    );
  }
  return deepFreeze(settings);
}
