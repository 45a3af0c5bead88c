/** A source that has one page of copy jobs for every target, and no counts. */
import type { Drain, DrainReport, Page, Source } from '../../src/source/source.ts';
import { listedJobs } from '../support/job-texts.ts';

export function onePageSource(records: readonly unknown[], repaired = false): Source {
  const page: Page = {
    records: listedJobs(records),
    observedAt: 5,
    requestId: null,
    repaired,
    more: false,
    pass: 1,
    drop: () => undefined,
  };
  return { copyJobs: () => drainOf([page]), copyJobSummaries: () => drainOf([]), close: () => undefined };
}

function drainOf(pages: readonly Page[]): Drain {
  const report: DrainReport = {
    status: 'OK',
    pages: pages.length,
    records: pages.reduce((sum, { records }) => sum + records.length, 0),
    retries: 0,
    firstRequestId: null,
    lastRequestId: null,
    durationMs: 0,
    errorName: null,
    errorMessage: null,
  };
  return {
    async *[Symbol.asyncIterator]() {
      yield* pages;
    },
    report: () => report,
  };
}
