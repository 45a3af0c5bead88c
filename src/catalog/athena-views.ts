/** Creates the views through Athena, which stores views in a format of its own. */
import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  QueryExecutionState,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import type { Table as GlueTable } from '@aws-sdk/client-glue';
import type { Aws, ClientDefaults } from '../aws/aws.ts';
import { CatalogError, UnavailableError } from '../shared/errors.ts';
import { viewParameter } from './definition.ts';
import { refused } from './glue.ts';
import type { ResultEncryption } from './result-encryption.ts';
import { createView, type View } from './statements.ts';

/** Creating a view usually takes a second or two. */
const longestMs = 5 * 60_000;
const firstPauseMs = 250;
const longestPauseMs = 4_000;

export interface ViewPlan {
  readonly view: View;
  readonly statement: string;
  /** The database parameter that records the view's statement: its name, and the statement's SHA-256 as its value. */
  readonly parameter: string;
  readonly fingerprint: string;
  /** Null: the view is up to date. */
  readonly change: string | null;
  readonly refusal: string | null;
}

/**
 * Athena stores a view's SQL in its own form, which cannot be compared. So the database's parameters record which
 * statement created each view.
 * @param found what Glue has under the view's name
 */
export function planView(
  view: View,
  database: string,
  found: GlueTable | null,
  parameters: Readonly<Record<string, string>>,
): ViewPlan {
  const statement = createView(view, { dialect: 'athena', database });
  const parameter = viewParameter(view.name);
  const fingerprint = createHash('sha256').update(statement).digest('hex');
  const isView = found === null || found.TableType === 'VIRTUAL_VIEW';
  const same = found !== null && parameters[parameter] === fingerprint;
  return {
    view,
    statement,
    parameter,
    fingerprint,
    change: same ? null : found === null ? `+ view ${view.name}` : `~ view ${view.name}`,
    refusal: isView ? null : `${view.name}: Glue has a ${found.TableType} of this name, where a view belongs`,
  };
}

export interface AthenaPlace {
  readonly database: string;
  readonly workgroup: string;
  /** Null: the workgroup's location. */
  readonly outputLocation: string | null;
  /** Null: the workgroup decides. */
  readonly encryption: ResultEncryption | null;
}

function resultConfiguration({ outputLocation, encryption }: AthenaPlace) {
  if (outputLocation === null && encryption === null) return {};
  return {
    ResultConfiguration: {
      ...(outputLocation === null ? {} : { OutputLocation: outputLocation }),
      ...(encryption === null ? {} : { EncryptionConfiguration: encryption }),
    },
  };
}

/** Runs statements one after another, waiting for each. Needs athena:StartQueryExecution and athena:GetQueryExecution. */
export function openAthena(
  defaults: ClientDefaults,
  place: AthenaPlace,
  signal: AbortSignal,
  retrying: Aws['retrying'] = (client) => client,
) {
  const client = retrying(new AthenaClient(defaults), signal);
  const options = { abortSignal: signal };

  const start = async (statement: string): Promise<string> => {
    const { QueryExecutionId } = await client.send(
      new StartQueryExecutionCommand({
        QueryString: statement,
        QueryExecutionContext: { Catalog: 'AwsDataCatalog', Database: place.database },
        WorkGroup: place.workgroup,
        ...resultConfiguration(place),
      }),
      options,
    );
    if (!QueryExecutionId) throw new Error('Athena answered without an id');
    return QueryExecutionId;
  };

  const ended = async (id: string, what: string): Promise<void> => {
    const until = performance.now() + longestMs;
    for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
      const { QueryExecution } = await client.send(
        new GetQueryExecutionCommand({ QueryExecutionId: id }),
        options,
      );
      const { State, StateChangeReason } = QueryExecution?.Status ?? {};
      if (State === QueryExecutionState.SUCCEEDED) return;
      if (State === QueryExecutionState.FAILED || State === QueryExecutionState.CANCELLED) {
        throw new CatalogError(
          `${what} was not created: Athena reports ${State}: ${StateChangeReason ?? 'without a reason'} (query ${id})`,
          `Correct what Athena reports (check the workgroup ${place.workgroup}, its output location and permissions), then run again.`,
        );
      }
      if (performance.now() > until) {
        throw new UnavailableError(
          `${what} was not created: Athena has not finished query ${id} after ${longestMs / 60_000} minutes`,
          'Run again later. The tables are already in place.',
        );
      }
      await wait(pause, undefined, { signal });
    }
  };

  return {
    /** @throws ReportedError when Athena cannot be reached, or refuses */
    async run(statement: string, what: string): Promise<void> {
      try {
        await ended(await start(statement), what);
      } catch (error) {
        if (error instanceof CatalogError || error instanceof UnavailableError || signal.aborted) throw error;
        throw refused(error, `${what} could not be created through Athena`);
      }
    },
  };
}
