import type { Planned } from '../ledger/planned.ts';

/** Tells when the last copy jobs are read while counts still are. Nothing more comes into the parts of the jobs then. */
export class JobsFirst {
  readonly #onRead: () => void;
  #hasJobs = false;
  #jobs = 0;
  #others = 0;
  #isComplete = false;

  /** @param onRead called at most once; never if copy jobs stay unread, or if only one table is read */
  constructor(onRead: () => void) {
    this.#onRead = onRead;
  }

  add(planned: readonly Planned[]): void {
    for (const one of planned) this.#count(one, 1);
  }

  /** No more are added. */
  complete(): void {
    this.#isComplete = true;
    this.#look();
  }

  ended(one: Planned): void {
    this.#count(one, -1);
    if (isOfJobs(one)) this.#look();
  }

  #count(one: Planned, change: number): void {
    if (isOfJobs(one)) {
      this.#hasJobs = true;
      this.#jobs += change;
    } else this.#others += change;
  }

  #look(): void {
    if (this.#isComplete && this.#hasJobs && this.#jobs === 0 && this.#others > 0) this.#onRead();
  }
}

function isOfJobs({ table }: Planned): boolean {
  return table === 'copy_jobs';
}
