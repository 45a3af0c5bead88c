/** Following page tokens from the first page of a list to its last. */

/** A list gave the same page token twice: followed further, it would never end. */
export class RepeatedPageToken extends Error {
  override readonly name = 'RepeatedPageToken';
  /** Pages read until then. */
  readonly pages: number;
  constructor(pages: number) {
    super(`the list gave the same page token twice within ${pages} pages`);
    this.pages = pages;
  }
}

/**
 * The pages of one list, in order. A page is asked for when the one before it has been dealt with. The SDK's paginators
 * would follow a repeated token for ever.
 * @param next the token of the page that follows; null, undefined or '': there is none
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
