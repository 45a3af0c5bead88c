/**
 * Reads and writes a database and its tables in the Glue catalog. Needs glue:GetDatabase and glue:GetTable; to write,
 * also glue:CreateDatabase, glue:UpdateDatabase, glue:CreateTable and glue:UpdateTable.
 */
import {
  CreateDatabaseCommand,
  CreateTableCommand,
  type Database,
  type DatabaseInput,
  EntityNotFoundException,
  GetDatabaseCommand,
  GetTableCommand,
  GlueClient,
  type Table as GlueTable,
  type TableInput,
  UpdateDatabaseCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-glue';
import type { Aws, ClientDefaults } from '../aws/aws.ts';
import { awsFailure } from '../aws/failure.ts';
import { CatalogError, type ReportedError } from '../shared/errors.ts';
import { discoveryError } from '../targets/discovery-error.ts';

/** Every method throws a ReportedError, or the abort's error when it is aborted. */
export interface Glue {
  /** Null: the database does not exist. */
  database(): Promise<Database | null>;
  table(name: string): Promise<GlueTable | null>;
  createDatabase(description: string): Promise<void>;
  /** Adds parameters to the database and keeps everything else. */
  addParameters(found: Database, parameters: Readonly<Record<string, string>>): Promise<void>;
  createTable(input: TableInput): Promise<void>;
  /** @param found the table as it was read; if somebody has changed it since, nothing is written */
  updateTable(found: GlueTable, input: TableInput): Promise<void>;
}

/** @param retrying sends a request again after a network failure */
export function openGlue(
  defaults: ClientDefaults,
  name: string,
  signal: AbortSignal,
  retrying: Aws['retrying'] = (client) => client,
): Glue {
  const client = retrying(new GlueClient(defaults), signal);
  const options = { abortSignal: signal };
  const asked = async <T>(action: string, what: string, request: () => Promise<T>): Promise<T> => {
    try {
      return await request();
    } catch (error) {
      if (signal.aborted) throw error;
      throw refused(error, `Glue's ${what} could not be ${action}`);
    }
  };
  return {
    async database() {
      const read = () => client.send(new GetDatabaseCommand({ Name: name }), options);
      return (await asked('read', `database ${name}`, () => orNull(read)))?.Database ?? null;
    },
    async table(table) {
      const read = () => client.send(new GetTableCommand({ DatabaseName: name, Name: table }), options);
      return (await asked('read', `table ${name}.${table}`, () => orNull(read)))?.Table ?? null;
    },
    async createDatabase(description) {
      const DatabaseInput: DatabaseInput = { Name: name, Description: description };
      await asked('created', `database ${name}`, () =>
        client.send(new CreateDatabaseCommand({ DatabaseInput }), options),
      );
    },
    async addParameters(found, parameters) {
      const { Description, LocationUri, CreateTableDefaultPermissions, TargetDatabase, FederatedDatabase } =
        found;
      const DatabaseInput: DatabaseInput = {
        Name: name,
        ...(Description == null ? {} : { Description }),
        ...(LocationUri == null ? {} : { LocationUri }),
        ...(CreateTableDefaultPermissions == null ? {} : { CreateTableDefaultPermissions }),
        ...(TargetDatabase == null ? {} : { TargetDatabase }),
        ...(FederatedDatabase == null ? {} : { FederatedDatabase }),
        Parameters: { ...found.Parameters, ...parameters },
      };
      await asked('updated', `database ${name}`, () =>
        client.send(new UpdateDatabaseCommand({ Name: name, DatabaseInput }), options),
      );
    },
    async createTable(input) {
      await asked('created', `table ${name}.${input.Name}`, () =>
        client.send(new CreateTableCommand({ DatabaseName: name, TableInput: input }), options),
      );
    },
    async updateTable({ VersionId }, input) {
      const version = VersionId == null ? {} : { VersionId };
      await asked('updated', `table ${name}.${input.Name}`, () =>
        client.send(new UpdateTableCommand({ DatabaseName: name, TableInput: input, ...version }), options),
      );
    },
  };
}

async function orNull<T>(request: () => Promise<T>): Promise<T | null> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof EntityNotFoundException) return null;
    throw error;
  }
}

/** @param what what could not be done, and to what */
export function refused(error: unknown, what: string): ReportedError {
  const { kind, name, message } = awsFailure(error);
  if (kind === 'other') {
    return new CatalogError(
      `${what}: ${name}: ${message.replace(/\.$/, '')}`,
      'Correct what AWS reports, then run again: finished changes stay, and the rest is done then.',
      { cause: error },
    );
  }
  return discoveryError(
    error,
    what,
    'Allow glue:GetDatabase, glue:GetTable and, for apply, glue:CreateDatabase, glue:UpdateDatabase, glue:CreateTable, glue:UpdateTable, athena:StartQueryExecution, athena:GetQueryExecution and what the workgroup needs on S3; with Lake Formation, its own grants too',
  );
}
