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
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { EngineError, LakeError } from '../shared/errors.ts';
import { copyJobs } from '../tables/copy-jobs.ts';
import { type Row, utcDay, withDerived } from '../tables/table.ts';
import { CompactTimeMap } from './compact-time-map.ts';
import { openPart, readPart } from './engines/part-reader.ts';
import { bucketOf, creationDatesKey, partKey } from './layout.ts';
import { partitionsOf } from './partitions.ts';
import type { Store } from './stores/store.ts';

export interface CreationDatesOptions {
  readonly store: Store;
  readonly buckets: number;
  readonly runId: string;
  /** Milliseconds since the epoch: older dates are dropped: AWS no longer lists such jobs. */
  readonly oldest: number;
  /** Exists; the files made in it are removed again. */
  readonly scratchFolder: string;
  readonly reserve: (bytes: number) => () => void;
  readonly log: Pick<Logger, 'warn'>;
  readonly signal?: AbortSignal;
}

interface Bucket {
  known: CompactTimeMap;
  /** Null: there is no object yet. */
  etag: string | null;
  /** Whether what was read from the parts is yet to be written down. */
  unwritten: boolean;
  /** Whether all parts could be read when the dates were taken from them. */
  whole: boolean;
  /** Claimed by this run alone, so far. */
  fresh: CompactTimeMap;
  /** Days of jobs for which another run has recorded a different day since. */
  readonly contested: Set<string>;
}

/** How often another run may get in between. */
const attempts = 12;
const named = 3;

export class CreationDates {
  readonly #options: CreationDatesOptions;
  readonly #buckets = new Map<number, Promise<Bucket>>();
  readonly #inTurn = pLimit(1);
  readonly #moved = new Set<string>();

  constructor(options: CreationDatesOptions) {
    this.#options = options;
  }

  /** Jobs that AWS lists with another day of creation than before. */
  get moved(): { readonly jobs: number; readonly first: readonly string[] } {
    return { jobs: this.#moved.size, first: [...this.#moved].slice(0, named) };
  }

  /**
   * The rows of copy jobs, each with its first creation date. If the dates cannot be read, the rows are returned unchanged, and
   * `claim` fails.
   */
  async withFirstDates(rows: readonly Row[]): Promise<readonly Row[]> {
    const dated: Row[] = [];
    for (const row of rows) {
      const number = bucketOf(String(row.account_id), this.#options.buckets);
      const bucket = await this.#bucket(number).catch(() => null);
      dated.push(bucket === null ? row : this.#withFirstDate(row, bucket));
    }
    return dated;
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
      `A job of ${day} was published by another run with another day of creation, while this one read it`,
      'Run it again: nothing was lost, and the job stays one row.',
    );
  }

  #bucket(number: number): Promise<Bucket> {
    const known = this.#buckets.get(number) ?? this.#load(number);
    this.#buckets.set(number, known);
    // Callers see the error when they await it. A run that has no further caller must not end with it.
    known.catch(() => undefined);
    return known;
  }

  #withFirstDate(row: Row, bucket: Bucket): Row {
    const id = String(row.copy_job_id);
    const created = Number(row.creation_time);
    const first = bucket.known.get(id) ?? bucket.fresh.get(id);
    if (first === undefined) {
      bucket.fresh.set(id, created);
      return row;
    }
    const day = utcDay(first);
    if (day === row.creation_date) return row;
    this.#moved.add(id);
    return withDerived(copyJobs, { ...row, creation_time: first, creation_date: day });
  }

  async #load(number: number): Promise<Bucket> {
    const { store, signal, log } = this.#options;
    const key = creationDatesKey(number);
    const found = await store.read(key, signal);
    const [fresh, contested] = [new CompactTimeMap(), new Set<string>()];
    const known = found === null ? null : parsed(found.bytes);
    if (found !== null && known !== null) {
      return { known, etag: found.etag, unwritten: false, whole: true, fresh, contested };
    }
    if (found !== null)
      log.warn(
        { key },
        'this record of creation dates is damaged or incomplete: the dates are read from the parts again',
      );
    const { known: inParts, whole } = await this.#fromParts(number);
    const unwritten = whole && inParts.size > 0;
    return { known: inParts, etag: found?.etag ?? null, unwritten, whole, fresh, contested };
  }

  async #fromParts(number: number): Promise<{ known: CompactTimeMap; whole: boolean }> {
    const { store, oldest, log, signal } = this.#options;
    const known = new CompactTimeMap();
    let [whole, twice] = [true, 0];
    const { partitions } = await partitionsOf(store, copyJobs, signal);
    for (const { day } of partitions) {
      if (day < utcDay(oldest)) continue;
      const key = partKey(copyJobs, { creation_date: day }, number);
      try {
        for (const { id, created } of await this.#jobsIn(key)) {
          const before = known.get(id);
          if (before === undefined) known.set(id, created);
          else if (utcDay(before) !== utcDay(created)) twice += 1;
        }
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        whole = false;
        log.warn(
          { err: error, key },
          'this part cannot be read: the first creation dates of its jobs are not known',
        );
      }
    }
    if (twice > 0)
      log.warn({ jobs: twice }, 'the lake holds jobs in the parts of two days, from before this version');
    return { known, whole };
  }

  async #jobsIn(key: string): Promise<readonly { readonly id: string; readonly created: number }[]> {
    const { store, scratchFolder, reserve, signal } = this.#options;
    const file = join(scratchFolder, `${randomUUID()}.dates.parquet`);
    let release: () => void = () => undefined;
    try {
      const found = await store.download(key, file, signal);
      if (found === null) return [];
      release = reserve(found.size);
      const jobs: { id: string; created: number }[] = [];
      for await (const rows of readPart(await openPart(file), idsAndTimes)) {
        for (const { copy_job_id: id, creation_time: created } of rows) {
          if (typeof id === 'string' && typeof created === 'number') jobs.push({ id, created });
        }
      }
      return jobs;
    } finally {
      await rm(file, { force: true });
      release();
    }
  }

  async #write(number: number, bucket: Bucket): Promise<void> {
    const { store, runId, oldest, signal } = this.#options;
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const claimed = bucket.fresh;
      if (claimed.size === 0 && !bucket.unwritten) return;
      // Rows that arrive meanwhile find these dates among the known ones.
      bucket.fresh = new CompactTimeMap();
      bucket.known.take(claimed);
      try {
        const outcome = await store.put(
          {
            key: creationDatesKey(number),
            body: { bytes: formatted(bucket.known.since(oldest), bucket.whole) },
            condition: bucket.etag === null ? { ifAbsent: true } : { ifMatch: bucket.etag },
            writeId: randomUUID(),
            metadata: { 'run-id': runId },
            contentType: 'application/octet-stream',
          },
          signal,
        );
        if (outcome.written) {
          Object.assign(bucket, { etag: outcome.etag, unwritten: false });
          return;
        }
        await this.#giveWay(number, bucket, claimed);
      } catch (error) {
        bucket.fresh.take(claimed);
        throw error;
      }
    }
    throw new LakeError(
      `${creationDatesKey(number)} in ${store.url} was replaced by others ${attempts} times while it was being written`,
      'Let one export at a time work on this lake; then run again: nothing was lost.',
    );
  }

  /** To what another run has claimed meanwhile; the rest is to be claimed again. */
  async #giveWay(number: number, bucket: Bucket, claimed: CompactTimeMap): Promise<void> {
    const { known, etag, unwritten, whole } = await this.#load(number);
    const ours = new CompactTimeMap();
    ours.take(claimed);
    ours.take(bucket.fresh);
    const fresh = ours.without(known, (own, theirs) => {
      if (utcDay(own) !== utcDay(theirs)) bucket.contested.add(utcDay(own));
    });
    Object.assign(bucket, { known, etag, unwritten, whole, fresh });
  }
}

const idsAndTimes = {
  ...copyJobs,
  columns: copyJobs.columns.filter(({ name }) => name === 'copy_job_id' || name === 'creation_time'),
};

/** A line of JSON that says what follows: the entries of an CompactTimeMap. */
function formatted(entries: Buffer, whole: boolean): Uint8Array {
  const sha256 = createHash('sha256').update(entries).digest('hex');
  return Buffer.concat([Buffer.from(`${JSON.stringify({ format: 1, whole, sha256 })}\n`), entries]);
}

/** Null for what is damaged, or was not read from all parts. */
function parsed(bytes: Uint8Array): CompactTimeMap | null {
  const all = Buffer.from(bytes);
  const end = all.indexOf('\n');
  const entries = all.subarray(end + 1);
  try {
    const head: unknown = JSON.parse(all.subarray(0, Math.max(end, 0)).toString('utf8'));
    if (typeof head !== 'object' || head === null || !('sha256' in head) || !('whole' in head)) return null;
    const sha256 = createHash('sha256').update(entries).digest('hex');
    return head.sha256 === sha256 && head.whole === true ? new CompactTimeMap(entries) : null;
  } catch {
    return null;
  }
}
