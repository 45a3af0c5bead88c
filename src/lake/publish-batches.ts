/**
 * When staged rows are published: once at the end, or in batches when the staged data reach a size or a time has passed,
 * so that a run too big for one night still gets somewhere. Draining goes on while a batch is published, and waits only
 * when the next batch is full before.
 */
import pLimit from 'p-limit';
import type { Row, Table } from '../tables/table.ts';
import type { StagedBatch, Staging } from './staging.ts';

export interface BatchBounds {
  /** Staged bytes that start a batch. At most twice that lies in scratch, and what a merge needs. */
  readonly bytes: number;
  readonly everyMs: number;
  /** How long nothing may be published yet: a batch that only its time would start waits so long. Default: 0. */
  readonly opensInMs?: () => number;
  /** Milliseconds of any clock that only goes forward. */
  readonly now: () => number;
}

/** A longer timer fires at once (nodejs.org/api/timers.html, setTimeout). */
const longestTimerMs = 2 ** 31 - 1;

/** `close` must be called at the end, whatever the end is. */
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

  /** @param publish publishes a batch, and removes its files; rejects only for what ends the run */
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
   * Stages rows; waits while a full batch has to wait for the one before it.
   * @param origin who drained them: the batch names it with the part
   * @throws ScratchError; what publishing a batch threw
   */
  stage(table: Table, rows: readonly Row[], origin: string): Promise<void> {
    // One at a time: many drains that wait for room must not all take it at once.
    return this.#inTurn(async () => {
      while (this.#staging.bytes() >= this.#bounds.bytes && this.#publishing !== null) await this.#publishing;
      if (this.#broken !== null) throw this.#broken.error;
      await this.#staging.stage(table, rows, origin);
      if (this.#staging.bytes() >= this.#bounds.bytes) this.#start();
    });
  }

  /**
   * Publishes all that is left. Nothing may be staged afterwards.
   * @throws what publishing a batch threw
   */
  async finish(): Promise<void> {
    while (this.#publishing !== null) await this.#publishing;
    this.#start();
    await this.close();
    if (this.#broken !== null) throw this.#broken.error;
  }

  /** Resolves when no batch is being published any more; none begins afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#publishing;
  }

  /** Starts a batch when its time has come, whether pages come or not. */
  #startTimer(afterMs = this.#bounds.everyMs): void {
    const onTime = () => {
      const opensInMs = this.#bounds.opensInMs?.() ?? 0;
      // Started now, the batch would lack what is staged until it may go out, and its parts would be written twice.
      if (opensInMs > 0) this.#startTimer(opensInMs);
      else if (this.#staging.bytes() > 0) this.#start();
      else this.#startTimer();
    };
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(onTime, Math.min(afterMs, longestTimerMs)).unref();
  }

  #start(): void {
    if (this.#publishing !== null || this.#closed) return;
    this.#publishing = this.#publishBatch()
      .catch((error) => {
        this.#broken ??= { error };
      })
      .finally(() => {
        this.#publishing = null;
        this.#startTimer();
      });
  }

  async #publishBatch(): Promise<void> {
    const started = this.#bounds.now();
    await this.#publish(await this.#staging.rotate());
    this.#spentMs += this.#bounds.now() - started;
  }
}
