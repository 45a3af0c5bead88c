/**
 * From staged rows to published parts: once at the end, or in waves when the staged data reach a bound or a time
 * has passed, so that a run too big for one night still gets somewhere. Draining goes on beside a wave, and
 * waits only when the next one is full before the last one is out.
 */
import pLimit from 'p-limit';
import type { Row, Table } from '../tables/table.ts';
import type { Published } from './publish.ts';
import type { StagedPart, Staging } from './staging.ts';

/** A part that could not be published: not all that was drained from these origins is in the lake. */
export interface FailedPart {
  readonly table: Table;
  readonly origins: ReadonlySet<string>;
  readonly error: unknown;
}

export interface WaveHandlers {
  readonly publish: (part: StagedPart) => Promise<Published>;
  readonly onPublished: (part: StagedPart, published: Published) => void;
  readonly onFailed: (failed: FailedPart) => void;
  readonly onWave: (parts: number) => void;
  /** A published wave's files could not be removed; they stay until the run's scratch goes. */
  readonly onLeftBehind: (error: unknown) => void;
}

export interface WaveBounds {
  /** Staged bytes that start a wave. Twice that lies in scratch at most, and what a merge needs. */
  readonly bytes: number;
  readonly everyMs: number;
  /** How long nothing may be published yet; a wave that time alone would start waits for it. Default: it may be now. */
  readonly opensInMs?: () => number;
  /** Parts in flight at once: one is merged while others are downloaded and uploaded. */
  readonly concurrency: number;
  /** Milliseconds of any clock that only goes forward. */
  readonly now: () => number;
}

/** A longer timer fires at once (nodejs.org/api/timers.html, setTimeout). */
const longestTimerMs = 2 ** 31 - 1;

/** `settle` must be called at the end, whatever the end is. */
export class Waves {
  readonly #staging: Staging;
  readonly #handlers: WaveHandlers;
  readonly #bounds: WaveBounds;
  /** Never rejects. */
  #publishing: Promise<void> | null = null;
  #broken: { readonly error: unknown } | null = null;
  #timer: NodeJS.Timeout | undefined;
  #settled = false;
  #spentMs = 0;
  readonly #inTurn = pLimit(1);

  constructor(staging: Staging, handlers: WaveHandlers, bounds: WaveBounds) {
    this.#staging = staging;
    this.#handlers = handlers;
    this.#bounds = bounds;
    this.#startTimer();
  }

  /** Milliseconds spent publishing so far. */
  get spentMs(): number {
    return this.#spentMs;
  }

  /**
   * Stages rows; waits while a full wave has to wait for the one before it.
   * @throws ScratchError; what a handler threw
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
   * @throws what a handler threw
   */
  async finish(): Promise<void> {
    while (this.#publishing !== null) await this.#publishing;
    this.#start();
    await this.settle();
    if (this.#broken !== null) throw this.#broken.error;
  }

  /** Resolves when no wave is under way any more; none begins afterwards. */
  async settle(): Promise<void> {
    this.#settled = true;
    clearTimeout(this.#timer);
    await this.#publishing;
  }

  /** The time since the last wave is up, page or no page. */
  #startTimer(afterMs = this.#bounds.everyMs): void {
    const onTime = () => {
      const opensInMs = this.#bounds.opensInMs?.() ?? 0;
      // Begun now, the wave would lack what is staged until it may go out, and its parts would be written twice.
      if (opensInMs > 0) this.#startTimer(opensInMs);
      else if (this.#staging.bytes() > 0) this.#start();
      else this.#startTimer();
    };
    clearTimeout(this.#timer);
    if (this.#settled) return;
    this.#timer = setTimeout(onTime, Math.min(afterMs, longestTimerMs)).unref();
  }

  #start(): void {
    if (this.#publishing !== null || this.#settled) return;
    this.#publishing = this.#publishWave()
      .catch((error) => {
        this.#broken ??= { error };
      })
      .finally(() => {
        this.#publishing = null;
        this.#startTimer();
      });
  }

  async #publishWave(): Promise<void> {
    const started = this.#bounds.now();
    const wave = await this.#staging.rotate();
    this.#handlers.onWave(wave.parts.length + wave.lost.length);
    for (const { table, origins, error } of wave.lost) this.#handlers.onFailed({ table, origins, error });
    const limit = pLimit(this.#bounds.concurrency);
    await Promise.all(wave.parts.map((part) => limit(() => this.#publishOne(part))));
    await wave.remove().catch(this.#handlers.onLeftBehind);
    this.#spentMs += this.#bounds.now() - started;
  }

  async #publishOne(part: StagedPart): Promise<void> {
    let published: Published;
    try {
      published = await this.#handlers.publish(part);
    } catch (error) {
      this.#handlers.onFailed({ table: part.table, origins: part.origins, error });
      return;
    }
    this.#handlers.onPublished(part, published);
  }
}
