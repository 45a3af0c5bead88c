/** The daily counts of one target. */
import type { AggregationPeriod } from '../tables/copy-job-summaries.ts';
import { askCopyJobSummaries } from './ask.ts';
import { type RequestPage, readList } from './list.ts';
import type { HeldPage } from './page.ts';

/** The lower of what the API reference (500) and the service model (1000) allow for ListCopyJobSummaries. */
const pageSize = 500;

export function readCopyJobSummaries(
  request: RequestPage,
  accountId: string,
  period: AggregationPeriod,
  signal: AbortSignal,
): AsyncGenerator<HeldPage, void> {
  // What an omitted filter means is not documented; AGGREGATE_ALL would return sums, and count everything twice.
  const input = {
    MaxResults: pageSize,
    AccountId: accountId,
    State: 'ANY',
    ResourceType: 'ANY',
    MessageCategory: 'ANY',
    AggregationPeriod: period,
  } as const;
  const list = { ask: (token: string | null) => askCopyJobSummaries(input, token), keep: () => true };
  return readList(request, list, signal);
}
