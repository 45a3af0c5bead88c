import type { AwsResponse } from '../aws/response.ts';
import { parseExactJson } from '../shared/exact-json.ts';
import type { Ask } from './ask.ts';
import type { RequestFailure } from './outcome.ts';
import type { SourcePage } from './source.ts';

/** A page, and the way to the next; null: it was the last. */
export interface RawPage extends Omit<SourcePage, 'more'> {
  readonly nextToken: string | null;
}

/** A 200 that cannot be read: often the way between, and gone when asked again. */
export class BrokenAnswer extends Error {
  readonly failure: RequestFailure;
  constructor(name: string, message: string) {
    super(message);
    this.failure = { kind: 'broken-answer', name, message, host: null };
  }
}

/**
 * The records as they were on the wire. The SDK would fail the whole page for one bad date, and round integers.
 * @throws BrokenAnswer
 */
export function pageOf(answer: AwsResponse | null, list: Ask['list']): RawPage {
  const { body = null, date = null, requestId = null, repaired = false } = answer ?? {};
  const parsed = parsedOf(body ?? '');
  const records: unknown = Reflect.get(parsed, list);
  if (!Array.isArray(records)) {
    throw new BrokenAnswer('UnreadableAnswer', `AWS Backup answered 200 without a list ${list}`);
  }
  const nextToken: unknown = Reflect.get(parsed, 'NextToken') ?? null;
  if (nextToken !== null && typeof nextToken !== 'string') {
    throw new BrokenAnswer('UnreadableAnswer', 'AWS Backup answered with a NextToken that is not text');
  }
  if (date === null) {
    throw new BrokenAnswer(
      'UnreadableDate',
      'AWS Backup answered without a Date header that can be read, so when it was observed is not known',
    );
  }
  return { records, observedAt: date, requestId, repaired, nextToken: nextToken || null };
}

function parsedOf(body: string): object {
  let parsed: unknown;
  try {
    parsed = parseExactJson(body);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new BrokenAnswer('UnreadableAnswer', `AWS Backup answered 200 with broken JSON: ${detail}`);
  }
  if (typeof parsed !== 'object' || parsed === null) {
    throw new BrokenAnswer('UnreadableAnswer', 'AWS Backup answered 200 with JSON that is no object');
  }
  return parsed;
}
