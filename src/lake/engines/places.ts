/** A fixed number of places for work that takes one of them, or all. */
export class Places {
  readonly #all: number;
  #free: number;
  readonly #waiting: { readonly needs: number; readonly start: () => void }[] = [];

  constructor(all: number) {
    this.#all = all;
    this.#free = all;
  }

  /** Runs the work as soon as there is room, in the order of the calls: what needs all places is not overtaken for ever. */
  async run<T>(needs: 'one' | 'all', work: () => Promise<T>): Promise<T> {
    const count = needs === 'all' ? this.#all : 1;
    await new Promise<void>((start) => {
      this.#waiting.push({ needs: count, start });
      this.#startNext();
    });
    try {
      return await work();
    } finally {
      this.#free += count;
      this.#startNext();
    }
  }

  #startNext(): void {
    for (
      let next = this.#waiting[0];
      next !== undefined && next.needs <= this.#free;
      next = this.#waiting[0]
    ) {
      this.#waiting.shift();
      this.#free -= next.needs;
      next.start();
    }
  }
}
