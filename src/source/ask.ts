import {
  type BackupClient,
  ListCopyJobSummariesCommand,
  type ListCopyJobSummariesCommandInput,
  ListCopyJobsCommand,
  type ListCopyJobsCommandInput,
} from '@aws-sdk/client-backup';
import { type BodyDestination, type CapturedResponse, captureResponse } from '../aws/response.ts';

/** A request for one page. It is prepared anew for every attempt, because the SDK's commands can be sent only once. */
export interface Ask {
  /** The field of the body that holds the records. */
  readonly list: 'CopyJobs' | 'CopyJobSummaries';
  readonly token: string | null;
  readonly prepare: (destination: BodyDestination) => {
    readonly kept: CapturedResponse;
    readonly send: (client: BackupClient, abortSignal: AbortSignal) => Promise<unknown>;
  };
}

export function askCopyJobs(input: Omit<ListCopyJobsCommandInput, 'NextToken'>, token: string | null): Ask {
  const prepare: Ask['prepare'] = (destination) => {
    const command = new ListCopyJobsCommand({ ...input, ...next(token) });
    const kept = captureResponse(command.middlewareStack, destination);
    return { kept, send: (client, abortSignal) => client.send(command, { abortSignal }) };
  };
  return { list: 'CopyJobs', token, prepare };
}

export function askCopyJobSummaries(
  input: Omit<ListCopyJobSummariesCommandInput, 'NextToken'>,
  token: string | null,
): Ask {
  const prepare: Ask['prepare'] = (destination) => {
    const command = new ListCopyJobSummariesCommand({ ...input, ...next(token) });
    const kept = captureResponse(command.middlewareStack, destination);
    return { kept, send: (client, abortSignal) => client.send(command, { abortSignal }) };
  };
  return { list: 'CopyJobSummaries', token, prepare };
}

function next(token: string | null): { NextToken?: string } {
  return token === null ? {} : { NextToken: token };
}
