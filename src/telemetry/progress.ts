/** What a run tells a person at a terminal while it works. */
export interface Progress {
  /** Draining begins: this many (table, target) pairs are planned. */
  drainStarted(planned: number): void;
  /** One page was read, with this many rows. */
  page(rows: number): void;
  /** One (table, target) pair has ended, well or not. */
  drained(ok: boolean): void;
  /** Publishing begins: this many parts. May happen several times in a run, while draining goes on. */
  publishStarted(parts: number): void;
  /** One part is done: written, or found unchanged. */
  published(): void;
  /** The run has ended; the terminal is as it was. */
  stop(): void;
}
