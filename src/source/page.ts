import type { AwsResponse } from '../aws/response.ts';
import { parseExactJson } from '../shared/exact-json.ts';
import { freeBytes } from '../shared/free-bytes.ts';
import { type ListedRecord, type ListedRecords, parsedRecord } from '../tables/listed-record.ts';
import { type Scanned, scanJobs } from '../tables/scan-jobs.ts';
import type { Ask } from './ask.ts';
import type { RequestFailure } from './outcome.ts';
import type { Page } from './source.ts';

/** What a response says. */
export interface RawPage extends Pick<Page, 'records' | 'observedAt' | 'requestId' | 'repaired'> {
  /** Null: this page was the last. */
  readonly nextToken: string | null;
  /** Frees what the records are read from. They are of no use then. */
  readonly drop: () => void;
}

/**
 * A page while its records are in memory. It holds its place among the pages, and memory, until it is released. It then
 * drops the records and frees their bytes itself: the variable of a `for await` loop keeps the page until the next one comes,
 * which may be long.
 */
export class HeldPage implements Page {
  readonly observedAt: number;
  readonly requestId: string | null;
  readonly repaired: boolean;
  readonly nextToken: string | null;
  readonly pass: number;
  #records: ListedRecords | null;
  #isReleased = false;
  readonly #drop: () => void;
  readonly #giveBack: () => void;

  constructor(raw: RawPage, pass: number, giveBack: () => void) {
    this.observedAt = raw.observedAt;
    this.requestId = raw.requestId;
    this.repaired = raw.repaired;
    this.nextToken = raw.nextToken;
    this.pass = pass;
    this.#records = raw.records;
    // Not a function that holds `raw`: it would keep the records.
    this.#drop = raw.drop;
    this.#giveBack = giveBack;
  }

  get records(): ListedRecords {
    if (this.#records === null)
      throw new TypeError('the records of a page are gone once the next is asked for');
    return this.#records;
  }

  get more(): boolean {
    return this.nextToken !== null;
  }

  /** Drops the records for which `keep` returns false. */
  filter(keep: (record: ListedRecord) => boolean): void {
    this.#records = this.records.filter(keep);
  }

  drop(): void {
    if (this.#records === null) return;
    this.#records = null;
    this.#drop();
  }

  release(): void {
    this.drop();
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#giveBack();
  }
}

/** A 200 that cannot be read. Often something between here and AWS broke it, and the next request succeeds. */
export class BrokenAnswer extends Error {
  readonly failure: RequestFailure;
  constructor(name: string, message: string) {
    super(message);
    this.failure = { kind: 'broken-answer', name, message, host: null };
  }
}

/** Finds the copy jobs of a response, perhaps in another thread. */
export type ScanJobs = (bytes: Buffer) => Promise<Scanned>;

const scanHere: ScanJobs = async (bytes) => ({ bytes, list: scanJobs(bytes) });

/**
 * The records as they were on the wire. The SDK would fail the whole page for one bad date, and round integers.
 * @throws BrokenAnswer
 */
export async function pageOf(
  answer: AwsResponse | null,
  list: Ask['list'],
  scan: ScanJobs = scanHere,
): Promise<RawPage> {
  const { body = null, date = null, requestId = null, isUtf8 = true } = answer ?? {};
  const scanned = list === 'CopyJobs' && body !== null && isUtf8 ? await scan(body) : null;
  const { records, nextToken, drop } = scanned?.list ?? parsedList(scanned?.bytes ?? body, list);
  if (date === null) {
    throw new BrokenAnswer(
      'UnreadableDate',
      'AWS Backup answered without a Date header that can be read, so when it was observed is not known',
    );
  }
  return { records, observedAt: date, requestId, repaired: !isUtf8, nextToken, drop };
}

/** Its records hold nothing of the body. */
function parsedList(body: Buffer | null, list: Ask['list']): Pick<RawPage, 'records' | 'nextToken' | 'drop'> {
  const parsed = listIn(body?.toString('utf8') ?? '', list);
  if (body !== null) freeBytes(body);
  return { ...parsed, drop: () => undefined };
}

function listIn(body: string, list: Ask['list']): Pick<RawPage, 'records' | 'nextToken'> {
  const parsed = parsedOf(body);
  const records: unknown = Reflect.get(parsed, list);
  if (!Array.isArray(records)) {
    throw new BrokenAnswer('UnreadableAnswer', `AWS Backup answered 200 without a list ${list}`);
  }
  const nextToken: unknown = Reflect.get(parsed, 'NextToken') ?? null;
  if (nextToken !== null && typeof nextToken !== 'string') {
    throw new BrokenAnswer('UnreadableAnswer', 'AWS Backup answered with a NextToken that is not text');
  }
  return { records: records.map(parsedRecord), nextToken: nextToken || null };
}

function parsedOf(body: string): object {
  let parsed: unknown;
  try {
    parsed = parseExactJson(body);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new BrokenAnswer('UnreadableAnswer', `AWS Backup answered 200 with broken JSON: ${detail}`);
  }
  if (typeof parsed !== 'object' || parsed === null) {
    throw new BrokenAnswer('UnreadableAnswer', 'AWS Backup answered 200 with JSON that is no object');
  }
  return parsed;
}
