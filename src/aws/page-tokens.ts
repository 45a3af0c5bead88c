/** Follows page tokens from the first page of a list to the last. */

/** A list returned the same page token twice. Following it further would never end. */
export class RepeatedPageToken extends Error {
  override readonly name = 'RepeatedPageToken';
  /** The number of pages read so far. */
  readonly pages: number;
  constructor(pages: number) {
    super(`the list returned the same page token twice within ${pages} pages`);
    this.pages = pages;
  }
}

/**
 * The pages of one list, in order. A page is requested when the caller has processed the one before. The SDK's paginators
 * would follow a repeated token forever.
 * @param next the token of the following page; null, undefined or '': there is none
 * @throws RepeatedPageToken after the page that repeats a token; whatever `ask` rejects with
 */
export async function* followPageTokens<Page>(
  ask: (token: string | null) => Promise<Page>,
  next: (page: Page) => string | null | undefined,
): AsyncGenerator<Page, void> {
  const seen = new Set<string>();
  let token: string | null = null;
  let pages = 0;
  do {
    const page: Page = await ask(token);
    pages += 1;
    token = next(page) || null;
    yield page;
    if (token !== null && seen.has(token)) throw new RepeatedPageToken(pages);
    if (token !== null) seen.add(token);
  } while (token !== null);
}
