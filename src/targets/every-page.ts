/** Reads all pages of a list during discovery. */
import { awsFailure } from '../aws/failure.ts';
import { followPageTokens, RepeatedPageToken } from '../aws/page-tokens.ts';
import { UnavailableError } from '../shared/errors.ts';

export interface ListPage<Item> {
  /** From the SDK, unchecked: this file checks that it is a list, and of what. */
  readonly items: readonly Item[] | null | undefined;
  readonly next: string | null | undefined;
}

export interface List<Item extends object> {
  /** For messages: `The accounts of the organization could not be listed`. */
  readonly what: string;
  /** The service that returns the list: `AWS Organizations`. */
  readonly service: string;
  /** The advice on how to do without the list: `list the accounts with --accounts`. */
  readonly otherwise: string;
  /** The item's name. An item without a name is malformed. */
  readonly nameOf: (item: Item) => string | undefined;
  readonly page: (token: string | null) => Promise<ListPage<Item>>;
}

/** How often a list is read from its beginning if responses are malformed. */
const mostAttempts = 3;

/**
 * Every item. An empty page may have a token. If a page is malformed, or AWS does not accept its own page token, the list
 * is read again from its first page. If a token repeats, the list would never end.
 * @throws UnavailableError when the responses stay malformed; otherwise whatever `page` rejects with
 */
export async function everyPage<Item extends object>(list: List<Item>): Promise<Item[]> {
  let items: Item[] = [];
  let attempt = 1;
  for await (const page of pageByPage(list)) {
    if (page.attempt !== attempt) items = [];
    attempt = page.attempt;
    items.push(...page.items);
  }
  return items;
}

/** The same, as it comes: if the list is read again, `attempt` counts one more, and the items come once more. */
export async function* pageByPage<Item extends object>(
  list: List<Item>,
): AsyncGenerator<{ readonly attempt: number; readonly items: readonly Item[] }, void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for await (const { items } of pagesOf(list.page)) {
        yield { attempt, items: checkedItems(items, list) };
      }
      return;
    } catch (error) {
      if (!(error instanceof MalformedResponse)) throw error;
      if (error.askAgain && attempt < mostAttempts) continue;
      throw new UnavailableError(
        `${list.what}: ${list.service} ${error.message}`,
        `Run again later. If this keeps happening, check what stands between the job and AWS, or ${list.otherwise}`,
        { cause: error.cause },
      );
    }
  }
}

function checkedItems<Item extends object>(
  found: ListPage<Item>['items'],
  { nameOf }: List<Item>,
): readonly Item[] {
  if (found === undefined || found === null) return [];
  if (!Array.isArray(found)) throw new MalformedResponse('returned something that is not a list', true);
  for (const item of found) {
    if (typeof item !== 'object' || item === null || typeof nameOf(item) !== 'string') {
      throw new MalformedResponse(`returned an entry without a name: ${JSON.stringify(item)}`, true);
    }
  }
  return found;
}

async function* pagesOf<Item>(page: List<Item & object>['page']): AsyncGenerator<ListPage<Item>> {
  try {
    yield* followPageTokens(
      (token) => pageBehind(token, page),
      ({ next }) => next,
    );
  } catch (error) {
    if (!(error instanceof RepeatedPageToken)) throw error;
    throw new MalformedResponse('returned the same page token twice', false);
  }
}

/** If AWS rejects the content of a request, the cause is the page token: the request has no other content. */
async function pageBehind<Page>(
  token: string | null,
  page: (token: string | null) => Promise<Page>,
): Promise<Page> {
  try {
    return await page(token);
  } catch (error) {
    if (token === null || awsFailure(error).kind !== 'other') throw error;
    const { name, message } = awsFailure(error);
    const said = `did not accept its own page token: ${name}: ${message.replace(/\.$/, '')}`;
    throw new MalformedResponse(said, true, { cause: error });
  }
}

class MalformedResponse extends Error {
  readonly askAgain: boolean;
  constructor(message: string, askAgain: boolean, options?: ErrorOptions) {
    super(message, options);
    this.askAgain = askAgain;
  }
}
