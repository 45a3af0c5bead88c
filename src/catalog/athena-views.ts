/** The views, made through Athena: only it writes down what a view is in the way that it reads. */
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

/** A view is made in a second or two. */
const longestMs = 5 * 60_000;
const firstPauseMs = 250;
const longestPauseMs = 4_000;

export interface ViewPlan {
  readonly view: View;
  readonly statement: string;
  /** The parameter of the database that says which statement made the view: its name, and the statement's SHA-256. */
  readonly parameter: string;
  readonly fingerprint: string;
  /** Null: it is as it should be. */
  readonly change: string | null;
  readonly refusal: string | null;
}

/**
 * Athena writes a view's SQL in a form of its own, so that it cannot be compared: which statement made a view
 * is kept in the parameters of the database.
 * @param found what Glue has by the view's name
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
    refusal: isView
      ? null
      : `${view.name}: in Glue it is a ${found.TableType}, and a view of this name is to be made`,
  };
}

export interface AthenaPlace {
  readonly database: string;
  readonly workgroup: string;
  /** Null: the workgroup's own. */
  readonly outputLocation: string | null;
  /** Null: as the workgroup says. */
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

/** Runs statements one after the other and waits for each. Needs athena:StartQueryExecution, GetQueryExecution. */
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
          `${what} was not made: Athena says ${State}: ${StateChangeReason ?? 'without a reason'} (query ${id})`,
          `Correct what Athena names (workgroup ${place.workgroup}, its output location, permissions), then run again.`,
        );
      }
      if (performance.now() > until) {
        throw new UnavailableError(
          `${what} was not made: Athena is not done with query ${id} after ${longestMs / 60_000} minutes`,
          'Run again later; the tables are made.',
        );
      }
      await wait(pause, undefined, { signal });
    }
  };

  return {
    /** @throws ReportedError when Athena cannot be asked, or says no */
    async run(statement: string, what: string): Promise<void> {
      try {
        await ended(await start(statement), what);
      } catch (error) {
        if (error instanceof CatalogError || error instanceof UnavailableError || signal.aborted) throw error;
        throw refused(error, `${what} could not be made through Athena`);
      }
    },
  };
}
