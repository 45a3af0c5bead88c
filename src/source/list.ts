/** One list of AWS Backup, page by page. */
import { followPageTokens, RepeatedPageToken } from '../aws/page-tokens.ts';
import type { ListedRecord } from '../tables/listed-record.ts';
import type { Ask } from './ask.ts';
import { DrainFailure } from './outcome.ts';
import type { HeldPage } from './page.ts';

/** Asks for one page until it comes; rejects with what ends the list. */
export type RequestPage = (ask: Ask, signal: AbortSignal) => Promise<HeldPage>;

export interface List {
  readonly ask: (token: string | null) => Ask;
  /** Called once for each record, in order, with the time of its page: whether it stays in its page. */
  readonly keep: (record: ListedRecord, observedAt: number) => boolean;
}

/**
 * The pages of a list. Each is in memory until the next one is asked for.
 * @throws DrainFailure when the list would never end; whatever `request` rejects with
 */
export async function* readList(
  request: RequestPage,
  list: List,
  signal: AbortSignal,
): AsyncGenerator<HeldPage, void> {
  const pages = followPageTokens(
    (token) => request(list.ask(token), signal),
    ({ nextToken }) => nextToken,
  );
  try {
    for await (const page of pages) {
      try {
        page.filter((record) => list.keep(record, page.observedAt));
        yield page;
      } finally {
        page.release();
      }
    }
  } catch (error) {
    throw error instanceof RepeatedPageToken ? endless(error) : error;
  }
}

function endless({ pages }: RepeatedPageToken): DrainFailure {
  return new DrainFailure({
    status: 'FAILED',
    errorName: 'TokenCycle',
    errorMessage: `AWS Backup gave the same page token twice within ${pages} pages; the list would never end`,
  });
}
