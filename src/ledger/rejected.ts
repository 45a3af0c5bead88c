/** Records that cannot become rows, or not as they came, kept raw: nothing is silently dropped or altered. */
import { createHash } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ScratchError } from '../shared/errors.ts';

/** One line of `_ledger/rejected/<run_date>/<run_id>.ndjson`. */
export interface RejectedRecord {
  readonly table: string;
  readonly account_id: string;
  readonly region: string;
  /** ISO 8601, AWS's time of the answer. */
  readonly observed_at: string;
  readonly request_id: string | null;
  readonly reason: string;
  /** Whether a row was made of it all the same, but not letter by letter. */
  readonly published: boolean;
  /** As on the wire. */
  readonly record: unknown;
}

/** Collects them in scratch, until the run ends. */
export class RejectedRecords {
  readonly file: string;
  readonly #hash = createHash('sha256');
  #count = 0;
  #pending: Promise<void> = Promise.resolve();

  constructor(folder: string) {
    this.file = join(folder, 'rejected.ndjson');
  }

  get count(): number {
    return this.#count;
  }

  /** Throws a ScratchError when scratch cannot be written. */
  keep(records: readonly RejectedRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('');
    const write = this.#pending.then(async () => {
      try {
        await appendFile(this.file, lines);
      } catch (cause) {
        throw new ScratchError(
          `Rejected records could not be kept in ${this.file}`,
          'Give --scratch a folder that can be written and has space.',
          { cause },
        );
      }
      this.#hash.update(lines);
      this.#count += records.length;
    });
    this.#pending = write.catch(() => undefined);
    return write;
  }

  /** Of all lines; to be asked for once, at the end. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}
