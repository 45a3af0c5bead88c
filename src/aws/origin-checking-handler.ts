/**
 * Sends requests and watches the way to AWS: what fails on it is remembered as such, and an answer of anything but AWS
 * becomes an error before the SDK can read it as AWS's.
 */
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import { isAsyncIterable } from './response.ts';
import { ForeignResponse, type ResponseHead, type ResponseOrigin } from './response-origin.ts';
import { wrapped } from './wrapped-handler.ts';

/** Longer than any answer without a request id that can be AWS's. */
const longestBody = 16 * 1024 * 1024;

const transportErrors = new WeakSet<object>();

/** Whether the error came from sending a request or from receiving its answer: no word of AWS, and none of ours. */
export function isTransportError(error: object): boolean {
  return transportErrors.has(error);
}

/** The same handler, watched. */
export function checkingOrigin(handler: NodeHttpHandler, origin: ResponseOrigin): NodeHttpHandler {
  const handle: NodeHttpHandler['handle'] = async (request, options) => {
    const answered = await handler.handle(request, options).catch((error: unknown) => {
      throw asTransportError(error);
    });
    const { response } = answered;
    noteErrors(response.body);
    const { method, query, hostname } = request;
    const head: ResponseHead = { method, query, status: response.statusCode, headers: response.headers };
    if (origin.byHead(head) === true) return answered;
    const bytes = await readUpTo(longestBody, response.body);
    const text = bytes?.toString('utf8') ?? '';
    if (bytes === null || origin.byHead(head) === false || !origin.byBody(head, text)) {
      throw new ForeignResponse(origin, hostname, head, text);
    }
    response.body = bytes;
    return answered;
  };
  return wrapped(handler, handle);
}

/** Who gave up waiting is not on the way. */
function asTransportError(error: unknown): unknown {
  if (error instanceof Error && error.name !== 'AbortError') transportErrors.add(error);
  return error;
}

function noteErrors(body: unknown): void {
  if (typeof body !== 'object' || body === null || !('once' in body) || typeof body.once !== 'function')
    return;
  body.once('error', asTransportError);
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
    throw asTransportError(error);
  }
  return Buffer.concat(chunks);
}
