/** All pages of a list that discovery asks for. */
import { awsFailure } from '../aws/failure.ts';
import { followPageTokens, RepeatedPageToken } from '../aws/page-tokens.ts';
import { UnavailableError } from '../shared/errors.ts';

export interface ListPage<Item> {
  /** As the SDK hands it on: whether it is a list, and of what, is checked here. */
  readonly items: readonly Item[] | null | undefined;
  readonly next: string | null | undefined;
}

export interface List<Item extends object> {
  /** For messages: `The accounts of the organization could not be listed`. */
  readonly what: string;
  /** Who answers: `AWS Organizations`. */
  readonly service: string;
  /** Another way to say what the list would say: `list the accounts with --accounts`. */
  readonly otherwise: string;
  /** What an item is called; one without a name says nothing. */
  readonly nameOf: (item: Item) => string | undefined;
  readonly page: (token: string | null) => Promise<ListPage<Item>>;
}

/** How often a list whose answers make no sense is asked for from its beginning. */
const mostTimesThrough = 3;

/**
 * Every item, page by page. An empty page may carry a token. A list that holds something other than its items, or
 * whose token AWS does not take back, is asked for again from its first page; one whose token comes twice would never end.
 * @throws UnavailableError when the answers keep making no sense; whatever `page` rejects with, otherwise
 */
export async function everyPage<Item extends object>(list: List<Item>): Promise<Item[]> {
  for (let times = 1; ; times += 1) {
    try {
      return await onceThrough(list);
    } catch (error) {
      if (!(error instanceof SenselessAnswer)) throw error;
      if (error.askAgain && times < mostTimesThrough) continue;
      throw new UnavailableError(
        `${list.what}: ${list.service} ${error.message}`,
        `Run again later; if it stays so, look at what stands between the job and AWS, or ${list.otherwise}`,
        { cause: error.cause },
      );
    }
  }
}

async function onceThrough<Item extends object>({ page, nameOf }: List<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const { items: found } of pagesOf(page)) {
    if (found !== undefined && found !== null && !Array.isArray(found)) {
      throw new SenselessAnswer('answered with something that is not a list', true);
    }
    for (const item of found ?? []) {
      if (typeof item !== 'object' || item === null || typeof nameOf(item) !== 'string') {
        throw new SenselessAnswer(`answered with an entry that says nothing: ${JSON.stringify(item)}`, true);
      }
      items.push(item);
    }
  }
  return items;
}

async function* pagesOf<Item>(page: List<Item & object>['page']): AsyncGenerator<ListPage<Item>> {
  try {
    yield* followPageTokens(
      (token) => pageBehind(token, page),
      ({ next }) => next,
    );
  } catch (error) {
    if (!(error instanceof RepeatedPageToken)) throw error;
    throw new SenselessAnswer('gave the same page token twice', false);
  }
}

/** A request that is refused for what it says says nothing of ours but the token. */
async function pageBehind<Page>(
  token: string | null,
  page: (token: string | null) => Promise<Page>,
): Promise<Page> {
  try {
    return await page(token);
  } catch (error) {
    if (token === null || awsFailure(error).kind !== 'other') throw error;
    const { name, message } = awsFailure(error);
    const said = `did not take back the page token that it gave: ${name}: ${message.replace(/\.$/, '')}`;
    throw new SenselessAnswer(said, true, { cause: error });
  }
}

class SenselessAnswer extends Error {
  readonly askAgain: boolean;
  constructor(message: string, askAgain: boolean, options?: ErrorOptions) {
    super(message, options);
    this.askAgain = askAgain;
  }
}
