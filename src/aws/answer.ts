/**
 * What AWS really answered: the SDK hands on neither the Date header nor the bytes of a body.
 */
import { isUtf8 } from 'node:buffer';
import type { AbsoluteLocation, DeserializeHandlerOptions, DeserializeMiddleware } from '@smithy/types';
import { requestIdOf } from './origin.ts';

export interface Answer {
  readonly status: number;
  /** AWS's time of the answer in milliseconds since the epoch; null when the header is missing or unreadable. */
  readonly date: number | null;
  readonly requestId: string | null;
  /** The body as text, where it was asked for. */
  readonly body: string | null;
  /** Whether the body was not UTF-8: what was not is U+FFFD in the text. */
  readonly repaired: boolean;
}

/** Filled once there was an answer: also when the SDK then throws because it says no, or cannot be read. */
export interface KeptAnswer {
  answer: Answer | null;
}

/** The part of a command's or a client's middleware stack that is needed here. */
interface Stack {
  add(
    // biome-ignore lint/suspicious/noExplicitAny: any command's input and output will do; neither is touched.
    middleware: DeserializeMiddleware<any, any>,
    options: DeserializeHandlerOptions & AbsoluteLocation,
  ): void;
}

/**
 * Keeps the last answer to a command, from below the SDK's own reading of it.
 * @param body `keep`: reads the body, and hands the SDK an empty JSON object in place of a good one, so that it
 * is neither parsed twice nor able to fail for one bad field; errors go to the SDK as they came
 */
export function keepAnswer(stack: Stack, body: 'keep' | 'leave' = 'leave'): KeptAnswer {
  const kept: KeptAnswer = { answer: null };
  stack.add(
    (next) => async (args) => {
      kept.answer = null;
      const result = await next(args);
      const { response } = result;
      if (!isHttpResponse(response)) return result;
      const { statusCode: status, headers } = response;
      const head = { status, date: dateOf(headers), requestId: requestIdOf(headers) };
      if (body === 'leave') {
        kept.answer = { ...head, body: null, repaired: false };
        return result;
      }
      const bytes = await readAll(response.body);
      kept.answer = { ...head, body: bytes.toString('utf8'), repaired: !isUtf8(bytes) };
      response.body = status >= 200 && status < 300 ? Buffer.from('{}') : bytes;
      return result;
    },
    // The lowest priority of this step is nearest to the wire, below the deserializer.
    { step: 'deserialize', priority: 'low', name: 'keepAnswer', override: true },
  );
  return kept;
}

interface HttpResponse {
  statusCode: number;
  headers: Record<string, string>;
  body: unknown;
}

function isHttpResponse(value: unknown): value is HttpResponse {
  return typeof value === 'object' && value !== null && 'statusCode' in value && 'headers' in value;
}

function dateOf(headers: Record<string, string>): number | null {
  const time = Date.parse(headerOf(headers, 'date') ?? '');
  return Number.isNaN(time) ? null : time;
}

/** The SDK's handler gives header names in lower case. */
function headerOf(headers: Record<string, string>, name: string): string | undefined {
  return headers[name];
}

async function readAll(body: unknown): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body);
  if (!isAsyncIterable(body)) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function isAsyncIterable(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
