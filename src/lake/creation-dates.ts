/**
 * The creation date of each job as it was first seen. It decides in which partition the row lies. If AWS lists the job
 * with another date later, the row keeps the first one: otherwise the job would become a second row in another day's
 * part.
 *
 * The ledger holds these dates for the jobs that AWS remembers, in one object for each bucket. A run records new dates
 * there, conditionally, before it publishes any of the rows. Of two runs at once, one is first; a run that dies has
 * recorded either nothing or what the next run finds. The objects are a cache: if one is lost or damaged, the dates are
 * read from the parts again.
 */
import { createHash, randomUUID } from 'node:crypto';
import { open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { EngineError, LakeError } from '../shared/errors.ts';
import { dayMs } from '../shared/time.ts';
import { copyJobs } from '../tables/copy-jobs.ts';
import { type Row, utcDay, withDerived } from '../tables/table.ts';
import { CompactTimeMap, timeKey } from './compact-time-map.ts';
import { openPart, readPart } from './engines/part-reader.ts';
import { bucketOf, creationDatesKey, partKey } from './layout.ts';
import { partitionsOf } from './partitions.ts';
import { scratchError } from './stores/file-errors.ts';
import type { Body, Store } from './stores/store.ts';
import { entryBytes, type TimeKey } from './time-entries.ts';

export interface CreationDatesOptions {
  readonly store: Store;
  readonly buckets: number;
  readonly runId: string;
  /** Milliseconds since the epoch. Older dates are dropped, because AWS no longer lists such jobs. */
  readonly oldest: number;
  /** Must exist. Files created in it are removed again. */
  readonly scratchFolder: string;
  readonly reserve: (bytes: number) => () => void;
  readonly log: Pick<Logger, 'warn'>;
  readonly signal?: AbortSignal;
}

interface Bucket {
  dates: CompactTimeMap;
  /** So many of the dates, from the first one, were read. Only this run knows the others so far. */
  recorded: number;
  /** Null: the object does not exist yet. */
  etag: string | null;
  /** Whether dates that were read from the parts still have to be written. */
  unwritten: boolean;
  /** Whether all parts could be read when the dates were taken from the parts. */
  whole: boolean;
  /** Days of jobs for which another run has since recorded a different day. */
  readonly contested: Set<string>;
}

/** How many times another run may write in between before this one gives up. */
const attempts = 12;
/** Larger ones need no second copy in memory while they are written. */
const smallBody = 2 ** 20;
const named = 3;

export class CreationDates {
  readonly #options: CreationDatesOptions;
  readonly #buckets = new Map<number, Promise<Bucket>>();
  /** The same, as soon as they are there; null: they cannot be read. */
  readonly #loaded = new Map<number, Bucket | null>();
  readonly #inTurn = pLimit(1);
  readonly #moved = new Set<string>();
  readonly #maps = new Set<CompactTimeMap>();

  constructor(options: CreationDatesOptions) {
    this.#options = options;
  }

  /** Jobs that AWS now lists with another day of creation. */
  get moved(): { readonly jobs: number; readonly first: readonly string[] } {
    return { jobs: this.#moved.size, first: [...this.#moved].slice(0, named) };
  }

  /**
   * The rows of copy jobs, each with its first creation date. If the dates cannot be read, the rows are returned unchanged,
   * and `claim` fails.
   */
  async withFirstDates(rows: readonly Row[]): Promise<readonly Row[]> {
    const dated: Row[] = [];
    for (const row of rows) {
      const number = bucketOf(String(row.account_id), this.#options.buckets);
      if (!this.#loaded.has(number)) await this.load(number);
      const created = Number(row.creation_time);
      const first = this.firstDate(number, String(row.copy_job_id), created) ?? created;
      const day = utcDay(first);
      dated.push(
        day === row.creation_date
          ? row
          : withDerived(copyJobs, { ...row, creation_time: first, creation_date: day }),
      );
    }
    return dated;
  }

  /** Resolves when `firstDate` has an answer for this bucket. Does not reject: if the dates cannot be read, `claim` fails. */
  async load(number: number): Promise<void> {
    const bucket = await this.#bucket(number).catch(() => null);
    this.#loaded.set(number, bucket);
  }

  /**
   * The instant of creation that decides in which part a job lies: on the day of `created` it is `created`. Null: the bucket's
   * dates were not loaded.
   */
  firstDate(number: number, id: string, created: number): number | null {
    const bucket = this.#loaded.get(number);
    if (bucket === undefined) return null;
    if (bucket === null) return created;
    const first = bucket.dates.getOrSet(timeKey(id), created);
    if (isSameDay(first, created)) return created;
    this.#moved.add(id);
    return first;
  }

  /** Whether `firstDate` says `created`; null as there. A key takes less time than an id. */
  isFirstDate(number: number, key: TimeKey, created: number): boolean | null {
    const bucket = this.#loaded.get(number);
    if (bucket === undefined) return null;
    return bucket === null || isSameDay(bucket.dates.getOrSet(key, created), created);
  }

  /**
   * Records the first dates of the jobs that are about to be published in a day's part.
   * @throws LakeError when they cannot be read or written, or another run has claimed one of them for another day
   */
  async claim(number: number, day: string): Promise<void> {
    const bucket = await this.#bucket(number);
    await this.#inTurn(() => this.#write(number, bucket));
    if (!bucket.contested.has(day)) return;
    throw new LakeError(
      `While this run read a job of ${day}, another run published the job with another day of creation`,
      'Nothing was lost. Run it again; the job stays one row.',
    );
  }

  /** No more jobs are looked up: frees the memory for that, which ten million jobs need 20 MB of. `claim` goes on. */
  endLookups(): void {
    for (const bucket of this.#loaded.values()) bucket?.dates.endLookups();
  }

  /** Removes what is on scratch. Nothing may be asked afterwards. */
  close(): void {
    for (const map of this.#maps) map.close();
  }

  #bucket(number: number): Promise<Bucket> {
    let known = this.#buckets.get(number);
    if (known === undefined) {
      known = this.#load(number);
      this.#buckets.set(number, known);
      // Callers get the error. Without a caller, it must not be an unhandled rejection.
      known.catch(() => undefined);
    }
    return known;
  }

  async #load(number: number): Promise<Bucket> {
    const { store, reserve, signal, log } = this.#options;
    const key = creationDatesKey(number);
    const file = this.#scratchFile();
    let release: () => void = () => undefined;
    const contested = new Set<string>();
    let etag: string | null = null;
    try {
      const found = await store.download(key, file, signal);
      if (found !== null) {
        etag = found.etag;
        release = reserve(found.size);
        const dates = this.#emptyMap(found.size / entryBytes);
        if (await readCreationDates(file, dates)) {
          const recorded = dates.size;
          return { dates, recorded, etag, unwritten: false, whole: true, contested };
        }
        this.#discard(dates);
        log.warn(
          { key },
          'this record of creation dates is damaged or incomplete: the run reads the dates from the parts again',
        );
      }
    } finally {
      await rm(file, { force: true });
      release();
    }
    const { known: dates, whole } = await this.#fromParts(number);
    const unwritten = whole && dates.size > 0;
    return { dates, recorded: dates.size, etag, unwritten, whole, contested };
  }

  #scratchFile(): string {
    return join(this.#options.scratchFolder, `${randomUUID()}.dates.bin`);
  }

  #emptyMap(expected = 0): CompactTimeMap {
    const { reserve, log } = this.#options;
    const onIndexInMemory = (err: Error) =>
      log.warn({ err }, 'the index of first creation dates stays in memory, about 8 bytes for each job');
    const scratch = { file: this.#scratchFile(), reserve, onIndexInMemory };
    const map = new CompactTimeMap(undefined, scratch, expected);
    this.#maps.add(map);
    return map;
  }

  async #fromParts(number: number): Promise<{ known: CompactTimeMap; whole: boolean }> {
    const { store, oldest, log, signal } = this.#options;
    const known = this.#emptyMap();
    let [whole, twice] = [true, 0];
    const { partitions } = await partitionsOf(store, copyJobs, signal);
    for (const { day } of partitions) {
      if (day < utcDay(oldest)) continue;
      const key = partKey(copyJobs, { creation_date: day }, number);
      try {
        for await (const { id, created } of this.#jobsIn(key)) {
          const first = known.getOrSet(timeKey(id), created);
          if (utcDay(first) !== utcDay(created)) twice += 1;
        }
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        whole = false;
        log.warn(
          { err: error, key },
          'this part cannot be read, so the first creation dates of its jobs are unknown',
        );
      }
    }
    if (twice > 0) log.warn({ jobs: twice }, 'an earlier version stored some jobs in the parts of two days');
    return { known, whole };
  }

  #discard(map: CompactTimeMap): void {
    map.close();
    this.#maps.delete(map);
  }

  async *#jobsIn(key: string): AsyncGenerator<{ readonly id: string; readonly created: number }> {
    const { store, scratchFolder, reserve, signal } = this.#options;
    const file = join(scratchFolder, `${randomUUID()}.dates.parquet`);
    let release: () => void = () => undefined;
    try {
      const found = await store.download(key, file, signal);
      if (found === null) return;
      release = reserve(found.size);
      for await (const rows of readPart(await openPart(file), idsAndTimes)) {
        for (const { copy_job_id: id, creation_time: created } of rows) {
          if (typeof id === 'string' && typeof created === 'number') yield { id, created };
        }
      }
    } finally {
      await rm(file, { force: true });
      release();
    }
  }

  async #write(number: number, bucket: Bucket): Promise<void> {
    const { store, runId, signal } = this.#options;
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      // Rows that arrive meanwhile add further dates.
      const count = bucket.dates.size;
      if (count === bucket.recorded && !bucket.unwritten) return;
      const { body, remove } = await this.#bodyOf(bucket, count);
      const outcome = await store
        .put(
          {
            key: creationDatesKey(number),
            body,
            condition: bucket.etag === null ? { ifAbsent: true } : { ifMatch: bucket.etag },
            writeId: randomUUID(),
            metadata: { 'run-id': runId },
            contentType: 'application/octet-stream',
          },
          signal,
        )
        .finally(remove);
      if (outcome.written) {
        Object.assign(bucket, { etag: outcome.etag, unwritten: false, recorded: count });
        return;
      }
      await this.#giveWay(number, bucket);
    }
    throw new LakeError(
      `${creationDatesKey(number)} in ${store.url} was replaced by others ${attempts} times while it was being written`,
      'Nothing was lost. Make sure that only one export at a time uses this lake, then run again.',
    );
  }

  /** The first dates of a bucket: a line of JSON, followed by the entries of a CompactTimeMap. Many are written to scratch first. */
  async #bodyOf(
    { dates, whole }: Bucket,
    count: number,
  ): Promise<{ readonly body: Body; readonly remove: () => Promise<void> }> {
    const { oldest, reserve } = this.#options;
    const digest = createHash('sha256');
    let bytes = 0;
    for (const piece of dates.pieces(oldest, count)) {
      digest.update(piece);
      bytes += piece.length;
    }
    const head = Buffer.from(`${JSON.stringify({ format: 1, whole, sha256: digest.digest('hex') })}\n`);
    if (bytes <= smallBody) {
      const pieces = Array.from(dates.pieces(oldest, count), (piece) => Buffer.from(piece));
      return { body: { bytes: Buffer.concat([head, ...pieces]) }, remove: async () => undefined };
    }
    const release = reserve(head.length + bytes);
    const file = this.#scratchFile();
    const remove = async () => {
      await rm(file, { force: true });
      release();
    };
    try {
      await writeFile(file, head, { mode: 0o600 });
      for (const piece of dates.pieces(oldest, count)) await writeFile(file, piece, { flag: 'a' });
    } catch (error) {
      await remove();
      throw scratchError('written', file, error);
    }
    return { body: { file }, remove };
  }

  /** Accepts the dates that another run has recorded meanwhile, and keeps the rest to claim again. */
  async #giveWay(number: number, bucket: Bucket): Promise<void> {
    const { dates, recorded, etag, unwritten, whole } = await this.#load(number);
    dates.addMissing(bucket.dates, bucket.recorded, (theirs, own) => {
      if (utcDay(own) !== utcDay(theirs)) bucket.contested.add(utcDay(own));
    });
    this.#discard(bucket.dates);
    Object.assign(bucket, { dates, recorded, etag, unwritten, whole });
  }
}

function isSameDay(one: number, other: number): boolean {
  return Math.floor(one / dayMs) === Math.floor(other / dayMs);
}

const idsAndTimes = {
  ...copyJobs,
  columns: copyJobs.columns.filter(({ name }) => name === 'copy_job_id' || name === 'creation_time'),
};

/** The content of an object of first dates; null if it is damaged, or was not made from all parts. */
export function parseCreationDates(bytes: Uint8Array): CompactTimeMap | null {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = all.indexOf('\n');
  const expected = sha256In(all.subarray(0, Math.max(end, 0)));
  const entries = all.subarray(end + 1);
  if (expected === null || createHash('sha256').update(entries).digest('hex') !== expected) return null;
  return new CompactTimeMap(entries);
}

/** The head of an object of first dates is shorter than this. */
const headBytes = 1024;
const readBytes = 2 ** 20;

/**
 * Adds what is in such an object to a map. False: it is damaged, or was not made from all parts; then the map is of no use.
 * @throws ScratchError
 */
async function readCreationDates(file: string, into: CompactTimeMap): Promise<boolean> {
  try {
    const handle = await open(file);
    try {
      const head = Buffer.alloc(headBytes);
      const { bytesRead } = await handle.read(head, 0, headBytes, 0);
      const end = head.subarray(0, bytesRead).indexOf('\n');
      const expected = sha256In(head.subarray(0, Math.max(end, 0)));
      if (expected === null) return false;
      const digest = createHash('sha256');
      const some = Buffer.alloc(readBytes - (readBytes % entryBytes));
      for (let at = end + 1; ; ) {
        // A read may return less than there is.
        let filled = 0;
        while (filled < some.length) {
          const { bytesRead } = await handle.read(some, filled, some.length - filled, at + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        digest.update(some.subarray(0, filled));
        into.addAll(some.subarray(0, filled));
        at += filled;
        if (filled < some.length) break;
      }
      return digest.digest('hex') === expected;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw scratchError('read', file, error);
  }
}

/** The SHA-256 of the entries that follow this head; null: it is none, or not all parts were read. */
function sha256In(head: Buffer): string | null {
  try {
    const parsed: unknown = JSON.parse(head.toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null || !('sha256' in parsed) || !('whole' in parsed))
      return null;
    return parsed.whole === true && typeof parsed.sha256 === 'string' ? parsed.sha256 : null;
  } catch {
    return null;
  }
}
