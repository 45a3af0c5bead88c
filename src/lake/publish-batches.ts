/**
 * Decides when staged rows are published: at the end, a table when all of it is read, or in batches when they reach a size or some time has passed. So a
 * run that is too big for one night still makes progress. Reading goes on while a batch is published. It waits only if the
 * next batch is full by then.
 */
import pLimit from 'p-limit';
import { longestTimerMs } from '../shared/time.ts';
import type { Row, Table } from '../tables/table.ts';
import type { PartLines } from './page-lines.ts';
import type { StagedBatch, Staging } from './staging.ts';

export interface BatchBounds {
  /** A batch starts at this many staged bytes. Scratch holds at most twice as much, plus what a merge needs. */
  readonly bytes: number;
  readonly everyMs: number;
  /** How long until publishing is allowed. A batch that would start because of time waits that long. Default: 0. */
  readonly opensInMs?: () => number;
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number;
}

/** `close` must always be called at the end. */
export class PublishBatches {
  readonly #staging: Staging;
  readonly #publish: (batch: StagedBatch) => Promise<void>;
  readonly #bounds: BatchBounds;
  /** Never rejects. */
  #publishing: Promise<void> | null = null;
  #broken: { readonly error: unknown } | null = null;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #spentMs = 0;
  readonly #inTurn = pLimit(1);

  /** @param publish publishes a batch and removes its files; rejects only if the run must end */
  constructor(staging: Staging, publish: (batch: StagedBatch) => Promise<void>, bounds: BatchBounds) {
    this.#staging = staging;
    this.#publish = publish;
    this.#bounds = bounds;
    this.#startTimer();
  }

  /** Milliseconds spent publishing so far. */
  get spentMs(): number {
    return this.#spentMs;
  }

  /**
   * Stages rows. Waits while a full batch waits for the previous one.
   * @param origin the drain that the rows come from
   * @throws ScratchError; the error of a batch
   */
  stage(table: Table, rows: readonly Row[], origin: string): Promise<void> {
    return this.#whenThereIsRoom(() => this.#staging.stage(table, rows, origin));
  }

  /** The same for rows that are lines already. */
  stageLines(table: Table, parts: readonly PartLines[], origin: string): Promise<void> {
    return this.#whenThereIsRoom(() => this.#staging.stageLines(table, parts, origin));
  }

  #whenThereIsRoom(stage: () => Promise<void>): Promise<void> {
    // One at a time: drains that wait for space must not all take it at once.
    return this.#inTurn(async () => {
      while (this.#staging.bytes() >= this.#bounds.bytes && this.#publishing !== null) await this.#publishing;
      if (this.#broken !== null) throw this.#broken.error;
      await stage();
      if (this.#staging.bytes() >= this.#bounds.bytes) this.#start();
    });
  }

  /**
   * Publishes what is left of one table while others are still staged. Of this one, nothing may be staged afterwards. Resolves when
   * that has ended; its error is that of a later call.
   */
  async finishTable(table: Table): Promise<void> {
    while (this.#publishing !== null) await this.#publishing;
    this.#start(table);
    await this.#publishing;
  }

  /**
   * Publishes what is left. Nothing may be staged afterwards.
   * @throws the error of a batch
   */
  async finish(): Promise<void> {
    while (this.#publishing !== null) await this.#publishing;
    this.#start();
    await this.close();
    if (this.#broken !== null) throw this.#broken.error;
  }

  /** Resolves when no batch is being published. None starts afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#publishing;
    await this.#staging.close();
  }

  /** Starts a batch when its time has come, even if no pages arrive. */
  #startTimer(afterMs = this.#bounds.everyMs): void {
    const onTime = () => {
      const opensInMs = this.#bounds.opensInMs?.() ?? 0;
      // If the batch started now, it would lack the rows that are staged until publishing is allowed, and its parts would
      // be written twice.
      if (opensInMs > 0) this.#startTimer(opensInMs);
      else if (this.#staging.bytes() > 0) this.#start();
      else this.#startTimer();
    };
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(onTime, Math.min(afterMs, longestTimerMs)).unref();
  }

  #start(only?: Table): void {
    if (this.#publishing !== null || this.#closed) return;
    this.#publishing = this.#publishBatch(only)
      .catch((error) => {
        this.#broken ??= { error };
      })
      .finally(() => {
        this.#publishing = null;
        this.#startTimer();
      });
  }

  async #publishBatch(only?: Table): Promise<void> {
    const started = this.#bounds.now();
    await this.#publish(await this.#staging.rotate(only));
    this.#spentMs += this.#bounds.now() - started;
  }
}
