import { describe, expect, it } from 'vitest';
import { followPageTokens, RepeatedPageToken } from '../../src/aws/page-tokens.ts';

/** A list whose page behind each token names the next token. */
function list(next: Readonly<Record<string, string | null | undefined>>) {
  const asked: (string | null)[] = [];
  const pages = followPageTokens(
    async (token) => {
      asked.push(token);
      return { token };
    },
    ({ token }) => next[token ?? 'first'],
  );
  return { asked, pages };
}

describe('following page tokens', () => {
  it.each([
    ['null', null],
    ['undefined', undefined],
    ['an empty token', ''],
  ])('ends at %s', async (_, last) => {
    const { asked, pages } = list({ first: 'a', a: 'b', b: last });
    const seen: unknown[] = [];
    for await (const page of pages) seen.push(page);
    expect(seen).toEqual([{ token: null }, { token: 'a' }, { token: 'b' }]);
    expect(asked).toEqual([null, 'a', 'b']);
  });

  it('asks for a page when the one before it has been dealt with', async () => {
    const { asked, pages } = list({ first: 'a', a: null });
    const askedAt: number[] = [];
    for await (const _ of pages) askedAt.push(asked.length);
    expect(askedAt).toEqual([1, 2]);
  });

  it.each([
    ['at once', { first: 'a', a: 'a' }, 2],
    ['after others', { first: 'a', a: 'b', b: 'a' }, 3],
  ])('stops at a token that comes again %s, after the page that repeats it', async (_, next, pages) => {
    const repeating = list(next);
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const page of repeating.pages) seen.push(page);
    })();
    await expect(reading).rejects.toThrow(RepeatedPageToken);
    await expect(reading).rejects.toMatchObject({ pages });
    expect(seen).toHaveLength(pages);
    expect(repeating.asked).toHaveLength(pages);
  });

  it('asks for nothing more when the loop is left', async () => {
    const { asked, pages } = list({ first: 'a', a: 'b', b: null });
    for await (const _ of pages) break;
    expect(asked).toEqual([null]);
  });
});
