/** The settings of `query`. */

import { type LakeSettings, readLakeSettings } from '../config/lake-settings.ts';
import { collectOptions, optionReader, readOption } from '../config/layers.ts';
import { refuseInLake } from '../config/outside-lake.ts';
import { refuseS3OptionsForLocalLake } from '../config/s3-only-options.ts';
import { deepFreeze, type SettingsInput } from '../config/settings.ts';
import { UsageError } from '../shared/errors.ts';
import type { DayRange } from './day-range.ts';

export interface QuerySettings extends LakeSettings {
  /** Null: every day of a local lake; the days that the query needs of a lake on S3. */
  readonly days: DayRange | null;
  /** Null: chosen by destination. */
  readonly format: 'table' | 'csv' | 'json' | 'parquet' | null;
  /** Absolute; null: stdout. */
  readonly outputFile: string | null;
  readonly raw: boolean;
  /** On a terminal, print full values instead of fitting tables to its width. */
  readonly wide: boolean;
  readonly timeoutMs: number;
  readonly history: boolean;
  readonly memoryLimitBytes: number;
  readonly scratchLimitBytes: number;
}

/** @throws UsageError or ConfigError */
export function parseQuerySettings(input: SettingsInput): QuerySettings {
  const layered = collectOptions('query', input);
  const read = optionReader(layered, input.cwd);
  const { optional, required } = read;
  const [from, to] = [optional('from'), optional('to')];
  if (from !== null && to !== null && from > to) {
    throw new UsageError(`--from ${from} is after --to ${to}`, 'Use an earlier --from or a later --to.');
  }
  const [format, outputFile] = [optional('format'), optional('output-file')];
  if (format === 'parquet' && outputFile === null) {
    throw new UsageError('--format parquet needs a file', 'Name one with --output-file.');
  }
  const lakeSettings = readLakeSettings(read, input.temporaryFolder);
  refuseS3OptionsForLocalLake(lakeSettings.lake, layered);
  refuseInLake('scratch', lakeSettings.scratch, lakeSettings.lake, layered);
  refuseInLake('output-file', outputFile, lakeSettings.lake, layered);
  return deepFreeze({
    ...lakeSettings,
    days: from === null && to === null ? null : { from, to },
    format,
    outputFile,
    raw: required('raw'),
    wide: required('wide'),
    timeoutMs: required('timeout'),
    history: required('history'),
    memoryLimitBytes: required('memory-limit'),
    scratchLimitBytes: required('scratch-limit'),
  });
}

/** Whether to list the named questions, which needs no lake. */
export function wantsList(input: SettingsInput): boolean {
  return readOption(collectOptions('query', input), 'list', input.cwd) === true;
}
