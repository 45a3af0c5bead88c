/** The settings of `catalog`. */

import { type LakeSettings, readLakeSettings } from '../config/lake-settings.ts';
import { collectOptions, optionReader } from '../config/layers.ts';
import { refuseInLake } from '../config/outside-lake.ts';
import { refuseS3OptionsForLocalLake } from '../config/s3-only-options.ts';
import { deepFreeze, type SettingsInput } from '../config/settings.ts';
import { UsageError } from '../shared/errors.ts';
import { type ResultEncryption, resultEncryption } from './result-encryption.ts';
import type { Dialect } from './statements.ts';

const actions = ['ddl', 'apply', 'check'] as const;
export type Action = (typeof actions)[number];

export interface CatalogSettings extends LakeSettings {
  readonly action: Action;
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
}

/** @throws UsageError or ConfigError */
export function parseCatalogSettings(input: SettingsInput): CatalogSettings {
  const layered = collectOptions('catalog', input);
  const { cwd, flags } = input;
  const read = optionReader(layered, cwd);
  const { optional, required } = read;
  const settings: CatalogSettings = {
    ...readLakeSettings(read, input.temporaryFolder),
    action: readAction(flags.action),
    database: required('database'),
    dialect: required('dialect'),
    trinoCatalog: required('trino-catalog'),
    firstDay: optional('first-day'),
    workgroup: required('workgroup'),
    outputLocation: optional('output-location'),
    dryRun: required('dry-run'),
    encryption: resultEncryption({ sse: optional('sse'), kmsKeyId: optional('kms-key-id') }),
  };
  refuseContradictions(settings);
  refuseS3OptionsForLocalLake(settings.lake, layered);
  refuseInLake('scratch', settings.scratch, settings.lake, layered);
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
