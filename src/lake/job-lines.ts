/**
 * The copy jobs of a page become staged lines without a row in between. This is for plain records, nearly all there are:
 * every field has a column and a value of its type. The others, `odd` here, go the way of copyJobRow
 * (src/tables/copy-jobs.ts), which says what a record means and why it is rejected. A test compares both ways.
 */
import type { ListedRecords } from '../tables/listed-record.ts';
import type { Observation } from '../tables/table.ts';
import { type AssumedDates, areFirstDates } from './assumed-dates.ts';
import type { CreationDates } from './creation-dates.ts';
import { LineWriter } from './line-writer.ts';
import { type PageLines, pageLines } from './page-lines.ts';

export interface JobLinesOptions {
  /** The lake's bucket count. */
  readonly buckets: number;
  readonly creationDates: Pick<CreationDates, 'firstDate' | 'isFirstDate' | 'load'>;
  /** Default: all lines are written in this thread. */
  readonly thread?: LinesThread;
}

/** Writes lines in another thread. */
export interface LinesThread {
  /**
   * The records can be read again when it resolves. Null: their lines have to be written in this thread.
   * @throws PageLost if the other thread breaks down
   */
  lines(
    records: ListedRecords,
    observation: Observation,
    buckets: number,
  ): Promise<{ readonly lines: PageLines; readonly dates: AssumedDates } | null>;
}

export interface JobPageLines extends Omit<PageLines, 'odd'> {
  /** Records that have no line, parsed. */
  readonly odd: readonly unknown[];
}

export class JobLines {
  readonly #options: JobLinesOptions;
  readonly #writer = new LineWriter();

  constructor(options: JobLinesOptions) {
    this.#options = options;
  }

  async encode(records: ListedRecords, observation: Observation): Promise<JobPageLines> {
    const lines = (await this.#inOther(records, observation)) ?? (await this.#inThis(records, observation));
    return { ...lines, odd: lines.odd.map((place) => records.at(place)?.value) };
  }

  /** Null: the lines have to be written in this thread. */
  async #inOther(records: ListedRecords, observation: Observation): Promise<PageLines | null> {
    const { thread, buckets, creationDates } = this.#options;
    const done = await thread?.lines(records, observation, buckets);
    if (done === undefined || done === null) return null;
    return (await areFirstDates(done.dates, creationDates)) ? done.lines : null;
  }

  async #inThis(records: ListedRecords, observation: Observation): Promise<PageLines> {
    for (;;) {
      const lines = pageLines(records, observation, this.#options, this.#writer);
      if (!('missing' in lines)) return lines;
      await this.#options.creationDates.load(lines.missing);
    }
  }
}
