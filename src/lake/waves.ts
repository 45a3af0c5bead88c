/**
 * From staged rows to published parts: once at the end, or in waves when the staged data reach a bound or a time
 * has passed, so that a run too big for one night still gets somewhere. Draining goes on beside a wave, and
 * waits only when the next one is full before the last one is out.
 */
import pLimit from 'p-limit';
import type { Row, Table } from '../tables/table.ts';
import type { Published } from './publish.ts';
import type { StagedPart, Staging } from './staging.ts';

/** A part that could not be published: what was drained from these origins is not in the lake. */
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
}

export interface WaveBounds {
  /** Staged bytes that start a wave. Twice that lies in scratch at most, and what a merge needs. */
  readonly bytes: number;
  readonly everyMs: number;
  /** Parts in flight at once: one is merged while others are downloaded and uploaded. */
  readonly concurrency: number;
  /** Milliseconds of any clock that only goes forward. */
  readonly now: () => number;
}

export class Waves {
  readonly #staging: Staging;
  readonly #handlers: WaveHandlers;
  readonly #bounds: WaveBounds;
  #lastWaveAt: number;
  #publishing: Promise<void> | null = null;
  #spentMs = 0;
  readonly #inTurn = pLimit(1);

  constructor(staging: Staging, handlers: WaveHandlers, bounds: WaveBounds) {
    this.#staging = staging;
    this.#handlers = handlers;
    this.#bounds = bounds;
    this.#lastWaveAt = bounds.now();
  }

  /** Milliseconds spent publishing so far. */
  get spentMs(): number {
    return this.#spentMs;
  }

  /** Stages rows; waits while a full wave has to wait for the one before it. Throws a ScratchError. */
  stage(table: Table, rows: readonly Row[], origin: string): Promise<void> {
    // One at a time: many drains that wait for room must not all take it at once.
    return this.#inTurn(async () => {
      while (this.#staging.bytes() >= this.#bounds.bytes && this.#publishing !== null) await this.#publishing;
      await this.#staging.stage(table, rows, origin);
      if (this.#due() && this.#publishing === null) this.#start();
    });
  }

  /** Publishes all that is left. Nothing may be staged afterwards. */
  async finish(): Promise<void> {
    while (this.#publishing !== null) await this.#publishing;
    this.#start();
    await this.#publishing;
  }

  #due(): boolean {
    const { bytes, everyMs, now } = this.#bounds;
    const staged = this.#staging.bytes();
    return staged >= bytes || (staged > 0 && now() - this.#lastWaveAt >= everyMs);
  }

  #start(): void {
    const wave = this.#publishWave();
    this.#publishing = wave.finally(() => {
      this.#publishing = null;
    });
    // Whoever awaits #publishing sees the failure; without a waiter it must not end the process by itself.
    this.#publishing.catch(() => undefined);
  }

  async #publishWave(): Promise<void> {
    const started = this.#bounds.now();
    const wave = await this.#staging.rotate();
    this.#handlers.onWave(wave.parts.length);
    const limit = pLimit(this.#bounds.concurrency);
    await Promise.all(wave.parts.map((part) => limit(() => this.#publishOne(part))));
    await wave.remove();
    this.#lastWaveAt = this.#bounds.now();
    this.#spentMs += this.#lastWaveAt - started;
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
