/**
 * Sends requests and watches the way to AWS: what fails on it is remembered as such, and an answer of anything but AWS
 * becomes an error before the SDK can read it as AWS's.
 */
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import { type AnswerHead, ForeignAnswer, type Origin } from './origin.ts';
import { wrapped } from './wrapped-handler.ts';

/** Longer than any answer without a request id that can be AWS's. */
const longestBody = 16 * 1024 * 1024;

const failedOnTheWay = new WeakSet<object>();

/** Whether the error came from sending a request or from receiving its answer: no word of AWS, and none of ours. */
export function isFromTheWay(error: object): boolean {
  return failedOnTheWay.has(error);
}

/** The same handler, watched. */
export function watched(handler: NodeHttpHandler, origin: Origin): NodeHttpHandler {
  const handle: NodeHttpHandler['handle'] = async (request, options) => {
    const answered = await handler.handle(request, options).catch((error: unknown) => {
      throw fromTheWay(error);
    });
    const { response } = answered;
    noteErrors(response.body);
    const { method, query, hostname } = request;
    const head: AnswerHead = { method, query, status: response.statusCode, headers: response.headers };
    if (origin.byHead(head) === true) return answered;
    const bytes = await readUpTo(longestBody, response.body);
    const text = bytes?.toString('utf8') ?? '';
    if (bytes === null || origin.byHead(head) === false || !origin.byBody(head, text)) {
      throw new ForeignAnswer(origin, hostname, head, text);
    }
    response.body = bytes;
    return answered;
  };
  return wrapped(handler, handle);
}

/** Who gave up waiting is not on the way. */
function fromTheWay(error: unknown): unknown {
  if (error instanceof Error && error.name !== 'AbortError') failedOnTheWay.add(error);
  return error;
}

function noteErrors(body: unknown): void {
  if (typeof body !== 'object' || body === null || !('once' in body) || typeof body.once !== 'function')
    return;
  body.once('error', fromTheWay);
}

/** Null: there is more. */
async function readUpTo(most: number, body: unknown): Promise<Buffer | null> {
  if (body instanceof Uint8Array) return Buffer.from(body);
  if (!isAsyncIterable(body)) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > most) return null;
      chunks.push(chunk);
    }
  } catch (error) {
    throw fromTheWay(error);
  }
  return Buffer.concat(chunks);
}

function isAsyncIterable(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
