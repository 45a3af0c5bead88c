/**
 * A request handler that checks who responded. It marks network errors as such. If something other than AWS responds, it
 * throws before the SDK can take the response for AWS's.
 */
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import { isAsyncIterable } from './response.ts';
import { ForeignResponse, type ResponseHead, type ResponseOrigin } from './response-origin.ts';
import { wrapped } from './wrapped-handler.ts';

/** AWS sends no longer body without a request id. */
const longestBody = 16 * 1024 * 1024;

const transportErrors = new WeakSet<object>();

/** True for an error from sending a request or receiving its response. Neither AWS nor this program raised it. */
export function isTransportError(error: object): boolean {
  return transportErrors.has(error);
}

/** The same handler, with the check. */
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

/** An AbortError is no network error: the caller gave up. */
function asTransportError(error: unknown): unknown {
  if (error instanceof Error && error.name !== 'AbortError') transportErrors.add(error);
  return error;
}

function noteErrors(body: unknown): void {
  if (typeof body !== 'object' || body === null || !('once' in body) || typeof body.once !== 'function')
    return;
  body.once('error', asTransportError);
}

/** Null: the body is longer. */
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
