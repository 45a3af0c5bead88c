import {
  type BackupClient,
  ListCopyJobSummariesCommand,
  type ListCopyJobSummariesCommandInput,
  ListCopyJobsCommand,
  type ListCopyJobsCommandInput,
} from '@aws-sdk/client-backup';
import { type KeptAnswer, keepAnswer, type Room } from '../aws/response.ts';

/** A request for one page, made anew for every attempt: the SDK's commands are used up by sending them. */
export interface Ask {
  /** Where the records lie in the body. */
  readonly list: 'CopyJobs' | 'CopyJobSummaries';
  readonly token: string | null;
  readonly prepare: (room: Room) => {
    readonly kept: KeptAnswer;
    readonly send: (client: BackupClient, abortSignal: AbortSignal) => Promise<unknown>;
  };
}

export function askCopyJobs(input: Omit<ListCopyJobsCommandInput, 'NextToken'>, token: string | null): Ask {
  const prepare: Ask['prepare'] = (room) => {
    const command = new ListCopyJobsCommand({ ...input, ...next(token) });
    const kept = keepAnswer(command.middlewareStack, room);
    return { kept, send: (client, abortSignal) => client.send(command, { abortSignal }) };
  };
  return { list: 'CopyJobs', token, prepare };
}

export function askCopyJobSummaries(
  input: Omit<ListCopyJobSummariesCommandInput, 'NextToken'>,
  token: string | null,
): Ask {
  const prepare: Ask['prepare'] = (room) => {
    const command = new ListCopyJobSummariesCommand({ ...input, ...next(token) });
    const kept = keepAnswer(command.middlewareStack, room);
    return { kept, send: (client, abortSignal) => client.send(command, { abortSignal }) };
  };
  return { list: 'CopyJobSummaries', token, prepare };
}

function next(token: string | null): { NextToken?: string } {
  return token === null ? {} : { NextToken: token };
}
