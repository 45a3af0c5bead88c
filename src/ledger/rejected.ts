/** Keeps records raw if they cannot become rows, or only with changes. Nothing is silently dropped or altered. */
import { createHash } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { ScratchError } from '../shared/errors.ts';

/** One line of `_ledger/rejected/<run_date>/<run_id>.ndjson`. */
export interface RejectedRecord {
  readonly table: string;
  readonly account_id: string;
  readonly region: string;
  /** ISO 8601: the Date of the response. */
  readonly observed_at: string;
  readonly request_id: string | null;
  readonly reason: string;
  /** Whether it became a row anyway, with some text changed. */
  readonly published: boolean;
  /** As AWS sent it. */
  readonly record: unknown;
}

/** Collects the records in scratch until the run ends. */
export class RejectedRecords {
  readonly file: string;
  readonly #hash = createHash('sha256');
  #count = 0;
  readonly #oneAtATime = pLimit(1);

  constructor(folder: string) {
    this.file = join(folder, 'rejected.ndjson');
  }

  get count(): number {
    return this.#count;
  }

  /** @throws ScratchError when the scratch folder cannot be written */
  keep(records: readonly RejectedRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('');
    return this.#oneAtATime(async () => {
      try {
        await appendFile(this.file, lines);
      } catch (cause) {
        throw new ScratchError(
          `Rejected records could not be written to ${this.file}`,
          'Set --scratch to a writable folder with enough free space.',
          { cause },
        );
      }
      this.#hash.update(lines);
      this.#count += records.length;
    });
  }

  /** The SHA-256 of all lines, in hex. Call it once, at the end. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}
