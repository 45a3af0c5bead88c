/** The settings of `catalog`. */

import { collectOptions, readOption, requireOption } from '../config/layers.ts';
import type { OptionName, OptionValue } from '../config/options.ts';
import { refuseS3OptionsForLocalLake } from '../config/s3-only-options.ts';
import { deepFreeze, defaultScratch, type SettingsInput } from '../config/settings.ts';
import type { LakeLocation } from '../config/typed-values.ts';
import { UsageError } from '../shared/errors.ts';
import { type ResultEncryption, resultEncryption } from './result-encryption.ts';
import type { Dialect } from './statements.ts';

export const actions = ['ddl', 'apply', 'check'] as const;
export type Action = (typeof actions)[number];

export interface CatalogSettings {
  readonly action: Action;
  readonly lake: LakeLocation;
  readonly database: string;
  readonly dialect: Dialect;
  readonly trinoCatalog: string;
  /** `yyyy-MM-dd`; null: the first day in the lake. */
  readonly firstDay: string | null;
  readonly workgroup: string;
  readonly outputLocation: string | null;
  readonly dryRun: boolean;
  /** Of Athena's results; null: the workgroup decides. */
  readonly encryption: ResultEncryption | null;
  readonly scratch: string;
  readonly lakeRoleArn: string | null;
  readonly roleSessionName: string;
  readonly externalId: string | null;
  readonly expectedBucketOwner: string | null;
  readonly endpointUrl: string | null;
  readonly s3EndpointUrl: string | null;
}

/** @throws UsageError or ConfigError */
export function parseCatalogSettings(input: SettingsInput): CatalogSettings {
  const layered = collectOptions('catalog', input);
  const { cwd, flags } = input;
  const optional = <N extends OptionName>(name: N): OptionValue<N> | null => readOption(layered, name, cwd);
  const value = <N extends OptionName>(name: N): OptionValue<N> => requireOption(layered, name, cwd);
  const settings: CatalogSettings = {
    action: readAction(flags.action),
    lake: value('lake'),
    database: value('database'),
    dialect: value('dialect'),
    trinoCatalog: value('trino-catalog'),
    firstDay: optional('first-day'),
    workgroup: value('workgroup'),
    outputLocation: optional('output-location'),
    dryRun: value('dry-run'),
    encryption: resultEncryption({ sse: optional('sse'), kmsKeyId: optional('kms-key-id') }),
    scratch: optional('scratch') ?? defaultScratch(input.temporaryFolder),
    lakeRoleArn: optional('lake-role-arn'),
    roleSessionName: value('role-session-name'),
    externalId: optional('external-id'),
    expectedBucketOwner: optional('expected-bucket-owner'),
    endpointUrl: optional('endpoint-url'),
    s3EndpointUrl: optional('s3-endpoint-url'),
  };
  refuseContradictions(settings);
  refuseS3OptionsForLocalLake(settings.lake, layered);
  return deepFreeze(settings);
}

function readAction(word: unknown): Action {
  const found = actions.find((action) => action === word);
  if (found !== undefined) return found;
  const what = word === undefined ? 'catalog needs an action' : `catalog has no action ${String(word)}`;
  throw new UsageError(what, `Write catalog ${actions.join(', catalog ')}.`);
}

function refuseContradictions({ action, lake, dialect, dryRun }: CatalogSettings): void {
  const forAthena = action !== 'ddl' || dialect === 'athena';
  if (action !== 'ddl' && dialect === 'trino') {
    throw new UsageError(`catalog ${action} works on Glue, not on Trino`, 'Remove --dialect.');
  }
  if (action !== 'apply' && dryRun) {
    throw new UsageError(`catalog ${action} never changes anything`, 'Remove --dry-run.');
  }
  if (lake.kind === 'local') {
    if (!forAthena) return;
    throw new UsageError(
      `The lake ${lake.folder} is a local folder, but Athena only reads S3`,
      'Use --lake s3://bucket/prefix. For Trino over local files, use catalog ddl --dialect trino.',
    );
  }
  if (forAthena && lake.prefix.includes('${')) {
    throw new UsageError(
      `The lake's prefix ${lake.prefix} contains \${, which Athena reads as the name of a partition`,
      'Move the lake to another prefix.',
    );
  }
}
