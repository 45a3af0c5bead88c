/** A plan that grows while its first targets are read. Nothing is published before all of it is on record. */
import type { Planned } from '../ledger/planned.ts';
import type { WrittenRecord } from '../ledger/runs.ts';
import { writeBeginRecord, writeShardRecord } from './begin-record.ts';
import type { OpenRun, Run } from './open-run.ts';

/** A run with its whole plan, and the record of it. */
export interface BegunRun {
  readonly run: Run;
  readonly begin: WrittenRecord;
}

export class GrowingPlan {
  readonly #run: OpenRun;
  readonly #recorded = Promise.withResolvers<void>();

  constructor(run: OpenRun) {
    this.#run = run;
    // Rows may never be published, and then nobody waits for it.
    this.#recorded.promise.catch(() => undefined);
  }

  /** Resolves when the begin record is written; rejects if it never will be. */
  get recorded(): Promise<void> {
    return this.#recorded.promise;
  }

  /**
   * Hands over the planned drains as they are found, then records the plan. From then on the run shows as unfinished until
   * its ledger is closed.
   * @throws ReportedError (src/shared/errors.ts) when discovery fails or the record cannot be written
   */
  async follow(add: (planned: readonly Planned[]) => void): Promise<BegunRun> {
    try {
      const run = await this.#whole(add);
      const begin = await writeBeginRecord(run);
      await writeShardRecord(run);
      const { lake, asOf, planned } = run.planning;
      const about = { lake: lake.store.url, as_of: new Date(asOf).toISOString(), planned: planned.length };
      run.log.info(about, 'the run begins');
      this.#recorded.resolve();
      return { run, begin };
    } catch (error) {
      this.#recorded.reject(error);
      throw error;
    }
  }

  async #whole(add: (planned: readonly Planned[]) => void): Promise<Run> {
    const run = this.#run;
    let found = await run.discovery.next();
    for (; !found.done; found = await run.discovery.next()) add(found.value);
    return { ...run, planning: { ...run.planning, ...found.value } };
  }
}
