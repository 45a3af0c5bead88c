/**
 * Captures a response as it came over the wire. The SDK passes on neither the Date header nor the bytes of the body.
 */
import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import type { AbsoluteLocation, DeserializeHandlerOptions, DeserializeMiddleware } from '@smithy/types';
import { freeBytes } from '../shared/free-bytes.ts';
import { type BodyMemory, BodyMemoryFull, BodyTooLong, type MemoryReservation } from './body-memory.ts';
import { requestIdOf } from './response-origin.ts';

export interface AwsResponse {
  readonly status: number;
  /** The Date header, in milliseconds since the epoch; null when it is missing or unreadable. */
  readonly date: number | null;
  readonly requestId: string | null;
  /** The bytes of the body, which nothing else shares; null when the caller did not ask for it. */
  readonly body: Buffer | null;
  /** True when the body is valid UTF-8. */
  readonly isUtf8: boolean;
}

/** Filled as soon as a response arrives, even if the SDK then throws because of an error status or a bad body. */
export interface CapturedResponse {
  response: AwsResponse | null;
  /** The memory that the captured body uses. The caller releases it. */
  reservation: MemoryReservation | null;
}

/** Where the body of a response goes. */
export interface BodyDestination {
  readonly memory: BodyMemory;
  /** Memory that the caller has already waited for; null: none. */
  readonly reservation: MemoryReservation | null;
}

/** The part of a command's or a client's middleware stack that is needed here. */
interface Stack {
  add(
    middleware: DeserializeMiddleware<object, object>,
    options: DeserializeHandlerOptions & AbsoluteLocation,
  ): void;
}

/**
 * Captures the last response to a command, before the SDK deserializes it.
 * @param destination if given, the body is read into it. In place of a successful body the SDK gets an empty JSON object,
 *   so it neither parses the body a second time nor fails because of one bad field. The SDK gets error bodies
 *   unchanged. If the body does not fit, the command rejects with BodyMemoryFull or BodyTooLong
 */
export function captureResponse(stack: Stack, destination: BodyDestination | null = null): CapturedResponse {
  const captured: CapturedResponse = { response: null, reservation: destination?.reservation ?? null };
  stack.add(
    (next) => async (args) => {
      captured.response = null;
      const result = await next(args);
      const { response } = result;
      if (!isHttpResponse(response)) return result;
      const { statusCode: status, headers } = response;
      const head = { status, date: dateOf(headers), requestId: requestIdOf(headers) };
      if (destination === null) {
        captured.response = { ...head, body: null, isUtf8: true };
        return result;
      }
      const body = await readBody(destination.memory, captured, response.body, lengthOf(headers));
      captured.response = { ...head, body, isUtf8: isUtf8(body) };
      response.body = status >= 200 && status < 300 ? Buffer.from('{}') : body;
      return result;
    },
    // In this step the lowest priority is closest to the wire, below the deserializer.
    { step: 'deserialize', priority: 'low', name: 'captureResponse', override: true },
  );
  return captured;
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

/** Null when there is no length: a proxy may send the body in chunks. */
function lengthOf(headers: Record<string, string>): number | null {
  const length = headerOf(headers, 'content-length');
  return length !== undefined && /^\d+$/.test(length) ? Number(length) : null;
}

/** @throws BodyMemoryFull, BodyTooLong. The unread rest of the body is dropped together with its socket */
async function readBody(
  memory: BodyMemory,
  captured: CapturedResponse,
  body: unknown,
  declaredLength: number | null,
): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body);
  if (!isAsyncIterable(body)) return Buffer.alloc(0);
  try {
    const reservation = captured.reservation ?? (await memory.reserve(declaredLength));
    captured.reservation = reservation;
    const tooLong = (bytes: number) => {
      if (bytes > memory.longestBody) return new BodyTooLong(memory.longestBody);
      // Without a declared length nobody knows how long the body gets, so it needs the whole budget.
      return new BodyMemoryFull(declaredLength ?? memory.longestBody);
    };
    if ((declaredLength ?? 0) > reservation.bytes) throw tooLong(declaredLength ?? 0);
    let bytes = Buffer.alloc(0);
    let length = 0;
    for await (const chunk of body) {
      const begin = length;
      length += chunk.length;
      if (length > reservation.bytes) throw tooLong(length);
      if (length > bytes.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(length, declaredLength ?? bytes.length * 2));
        larger.set(bytes.subarray(0, begin));
        freeBytes(bytes);
        bytes = larger;
      }
      bytes.set(chunk, begin);
      freeBytes(chunk);
    }
    return length === bytes.length ? bytes : Buffer.from(bytes.buffer.transfer(length));
  } catch (error) {
    if (body instanceof Readable) body.destroy();
    throw error;
  }
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
