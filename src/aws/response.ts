/**
 * What AWS really answered: the SDK hands on neither the Date header nor the bytes of a body.
 */
import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import type { AbsoluteLocation, DeserializeHandlerOptions, DeserializeMiddleware } from '@smithy/types';
import { type BodyRoom, BodyTooLong, NoRoom, type Place } from './body-room.ts';
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
  /** The room that the kept body takes: to be given back by whoever is done with it. */
  place: Place | null;
}

/** Where a body finds room in memory. */
export interface Room {
  readonly room: BodyRoom;
  /** What has been waited for; null: nothing. */
  readonly place: Place | null;
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
 * @param room where it is given, the body is read into it, and hands the SDK an empty JSON object in place of a good one, so that it
 * is neither parsed twice nor able to fail for one bad field; errors go to the SDK as they came. The command rejects
 * with NoRoom or BodyTooLong where there is none
 */
export function keepAnswer(stack: Stack, room: Room | null = null): KeptAnswer {
  const kept: KeptAnswer = { answer: null, place: room?.place ?? null };
  stack.add(
    (next) => async (args) => {
      kept.answer = null;
      const result = await next(args);
      const { response } = result;
      if (!isHttpResponse(response)) return result;
      const { statusCode: status, headers } = response;
      const head = { status, date: dateOf(headers), requestId: requestIdOf(headers) };
      if (room === null) {
        kept.answer = { ...head, body: null, repaired: false };
        return result;
      }
      const bytes = await readInto(room.room, kept, response.body, lengthOf(headers));
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

/** Null where it is not said: a proxy may send the body in chunks. */
function lengthOf(headers: Record<string, string>): number | null {
  const said = headerOf(headers, 'content-length');
  return said !== undefined && /^\d+$/.test(said) ? Number(said) : null;
}

/** @throws NoRoom, BodyTooLong; what is not read is given up, with its socket */
async function readInto(
  room: BodyRoom,
  kept: KeptAnswer,
  body: unknown,
  said: number | null,
): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body);
  if (!isAsyncIterable(body)) return Buffer.alloc(0);
  try {
    const place = kept.place ?? (await room.take(said));
    kept.place = place;
    const tooLong = (bytes: number) => {
      if (bytes > room.most) return new BodyTooLong(room.most);
      // Without a length there is no telling how long it gets: it needs all the room.
      return new NoRoom(said ?? room.most);
    };
    if ((said ?? 0) > place.bytes) throw tooLong(said ?? 0);
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of body) {
      length += chunk.length;
      if (length > place.bytes) throw tooLong(length);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (body instanceof Readable) body.destroy();
    throw error;
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
