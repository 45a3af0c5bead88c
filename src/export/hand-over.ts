/**
 * Rows of accounts that another shard owns. AWS may list a copy in its destination account as well as in its own, so a shard
 * can read rows of any account. It writes none of them into another shard's part: it hands them over, as objects below
 * `_ledger/handed-over/`, and the owner merges them.
 */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../lake/engines/engine.ts';
import { handedOverKey } from '../lake/layout.ts';
import { placementMetadata } from '../lake/part-placement.ts';
import { sha256Of } from '../lake/scratch-file.ts';
import type { StagedPart } from '../lake/staging.ts';
import type { Store } from '../lake/stores/store.ts';
import { writeOnce } from '../lake/write-once.ts';
import type { WrittenTable } from '../ledger/runs.ts';
import { utcDay } from '../tables/table.ts';

export interface HandOverOptions {
  readonly store: Store;
  readonly engine: Engine;
  readonly buckets: number;
  readonly runId: string;
  readonly asOf: number;
  readonly scratchFolder: string;
  readonly reserve: (bytes: number) => () => void;
  readonly signal: AbortSignal;
}

export class HandOver {
  readonly written: WrittenTable[] = [];
  readonly #options: HandOverOptions;
  #numbers = 0;

  constructor(options: HandOverOptions) {
    this.#options = options;
  }

  /** @throws LakeError, EngineError, ScratchError; the signal's reason */
  async write({
    table,
    partition,
    bucket,
    files,
    rows: stagedRows,
    bytes: stagedBytes,
  }: StagedPart): Promise<WrittenTable> {
    const { store, engine, buckets, runId, asOf, scratchFolder, reserve, signal } = this.#options;
    this.#numbers += 1;
    const key = handedOverKey(utcDay(asOf), runId, this.#numbers, bucket);
    const output = join(scratchFolder, `handed-over-${this.#numbers}.parquet`);
    let release: () => void = () => undefined;
    try {
      signal.throwIfAborted();
      const { rows } = await engine.merge({
        table,
        partition,
        existing: null,
        staged: files,
        stagedRows,
        stagedBytes,
        output,
        metadata: {
          run_id: runId,
          schema_version: String(table.schemaVersion),
          ...placementMetadata(table, partition, { bucket, buckets }),
        },
      });
      const { size: bytes } = await stat(output);
      release = reserve(bytes);
      const sha256 = await sha256Of(output);
      const contentType = 'application/vnd.apache.parquet';
      await writeOnce(store, { key, body: { file: output }, runId, contentType }, signal);
      const written = { key, rows, bytes, sha256 };
      this.written.push(written);
      return written;
    } finally {
      await rm(output, { force: true });
      release();
    }
  }
}
