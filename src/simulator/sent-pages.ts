/** Pages that were sent once, kept as bytes: a benchmark asks for the same ones in every round. */

export class SentPages {
  readonly #limitBytes: number;
  readonly #pages = new Map<string, Buffer>();
  #bytes = 0;

  /** @param limitBytes what is kept at most; once it is reached, the first pages stay. 0: none are kept */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** @param request everything that the page depends on, the time included */
  find(request: string): Buffer | null {
    return this.#pages.get(request) ?? null;
  }

  keep(request: string, body: string | Buffer): void {
    if (this.#limitBytes === 0) return;
    const page = typeof body === 'string' ? Buffer.from(body) : body;
    if (this.#bytes + page.length > this.#limitBytes) return;
    this.#bytes += page.length;
    this.#pages.set(request, page);
  }
}
