/** The settings of `query`. */

import { collectOptions, readOption, requireOption } from '../config/layers.ts';
import type { OptionName, OptionValue } from '../config/options.ts';
import { refuseS3OptionsForLocalLake } from '../config/s3-only-options.ts';
import { deepFreeze, defaultScratch, type SettingsInput } from '../config/settings.ts';
import type { LakeLocation } from '../config/typed-values.ts';
import { UsageError } from '../shared/errors.ts';
import type { DayRange } from './day-range.ts';

export interface QuerySettings {
  readonly lake: LakeLocation;
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
  readonly scratch: string;
  readonly scratchLimitBytes: number;
  readonly lakeRoleArn: string | null;
  readonly roleSessionName: string;
  readonly externalId: string | null;
  readonly expectedBucketOwner: string | null;
  readonly endpointUrl: string | null;
  readonly s3EndpointUrl: string | null;
}

/** @throws UsageError or ConfigError */
export function parseQuerySettings(input: SettingsInput): QuerySettings {
  const layered = collectOptions('query', input);
  const { cwd } = input;
  const optional = <N extends OptionName>(name: N): OptionValue<N> | null => readOption(layered, name, cwd);
  const value = <N extends OptionName>(name: N): OptionValue<N> => requireOption(layered, name, cwd);
  const [from, to] = [optional('from'), optional('to')];
  if (from !== null && to !== null && from > to) {
    throw new UsageError(`--from ${from} is after --to ${to}`, 'Use an earlier --from or a later --to.');
  }
  const [format, outputFile] = [optional('format'), optional('output-file')];
  if (format === 'parquet' && outputFile === null) {
    throw new UsageError('--format parquet needs a file', 'Name one with --output-file.');
  }
  const lake = value('lake');
  refuseS3OptionsForLocalLake(lake, layered);
  return deepFreeze({
    lake,
    days: from === null && to === null ? null : { from, to },
    format,
    outputFile,
    raw: value('raw'),
    wide: value('wide'),
    timeoutMs: value('timeout'),
    history: value('history'),
    memoryLimitBytes: value('memory-limit'),
    scratch: optional('scratch') ?? defaultScratch(input.temporaryFolder),
    scratchLimitBytes: value('scratch-limit'),
    lakeRoleArn: optional('lake-role-arn'),
    roleSessionName: value('role-session-name'),
    externalId: optional('external-id'),
    expectedBucketOwner: optional('expected-bucket-owner'),
    endpointUrl: optional('endpoint-url'),
    s3EndpointUrl: optional('s3-endpoint-url'),
  });
}

/** Whether to list the named questions, which needs no lake. */
export function wantsList(input: SettingsInput): boolean {
  return readOption(collectOptions('query', input), 'list', input.cwd) === true;
}
