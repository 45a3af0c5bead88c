/** Uploads a body to S3 under a condition: with one PUT or, above a size, with a multipart upload. */
import { open, readFile, stat } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { type Encryption, encryptionMembers } from '../../config/encryption.ts';
import type { S3Connection } from './s3-client.ts';
import type { Body, WriteCondition } from './store.ts';

export interface UploadRequest {
  readonly target: { readonly Bucket: string; readonly Key: string; readonly ExpectedBucketOwner?: string };
  readonly body: Body;
  readonly condition: WriteCondition;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly encryption: Encryption;
  /** Larger bodies use a multipart upload. */
  readonly multipartBytes: number;
  /** Called before the request that creates the object. From then on the object may exist, whatever the response. */
  readonly onDecisive: () => void;
}

/** S3 requires at least 5 MiB in every upload part except the last, and at most 10,000 parts. */
const uploadPartBytes = 8 * 1024 * 1024;
const maximumUploadParts = 10_000;
/** Upload parts in flight, and in memory. */
const concurrentUploadParts = 2;

/** Returns the ETag and the size of the written object. Rejects with S3's own error. */
export async function upload(
  s3: S3Connection,
  request: UploadRequest,
  signal?: AbortSignal,
): Promise<{ etag: string | null; size: number }> {
  const size = 'bytes' in request.body ? request.body.bytes.length : (await stat(request.body.file)).size;
  const send = () =>
    size > request.multipartBytes
      ? multipartUpload(s3, request, size, signal)
      : singlePut(s3, request, signal);
  const etag = await s3.checksums.orWithout(send);
  return { etag: etag ?? null, size };
}

async function singlePut(
  s3: S3Connection,
  request: UploadRequest,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const body = 'bytes' in request.body ? request.body.bytes : await readFile(request.body.file);
  const command = () =>
    new PutObjectCommand({
      ...request.target,
      ...described(request),
      ...conditional(request.condition),
      Body: body,
    });
  const put = async () => {
    const client = await s3.client();
    request.onDecisive();
    return await client.send(command(), { ...aborted(signal) });
  };
  const { ETag } = await s3.retried('put', put, signal);
  return ETag;
}

/**
 * Written by hand, because Upload of @aws-sdk/lib-storage 3.1169 sends the abort without ExpectedBucketOwner, and leaves
 * requests running after its signal was aborted (dist-es/Upload.js).
 */
async function multipartUpload(
  s3: S3Connection,
  request: UploadRequest,
  size: number,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { target } = request;
  const client = await s3.client();
  const create = new CreateMultipartUploadCommand({
    ...target,
    ...described(request),
    ...((await s3.checksums.ofRequests()) === 'WHEN_REQUIRED' ? {} : { ChecksumAlgorithm: 'CRC32' }),
  });
  const created = await s3.retried('create', () => client.send(create, { ...aborted(signal) }), signal);
  const UploadId = created.UploadId;
  if (UploadId === undefined) throw new Error('the store began a multipart upload without naming it');
  try {
    const Parts = await sendUploadParts(s3, client, request, UploadId, size, signal);
    const complete = new CompleteMultipartUploadCommand({
      ...target,
      ...conditional(request.condition),
      UploadId,
      MultipartUpload: { Parts },
    });
    request.onDecisive();
    const done = await s3.retried('complete', () => client.send(complete, { ...aborted(signal) }), signal);
    return done.ETag;
  } catch (error) {
    // Without the caller's signal: an upload that is not aborted costs money until a lifecycle rule removes it.
    const abort = new AbortMultipartUploadCommand({ ...target, UploadId });
    await client.send(abort, { abortSignal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    throw error;
  }
}

async function sendUploadParts(
  s3: S3Connection,
  client: S3Client,
  request: UploadRequest,
  UploadId: string,
  size: number,
  signal?: AbortSignal,
): Promise<CompletedPart[]> {
  const length = Math.max(uploadPartBytes, Math.ceil(size / maximumUploadParts));
  const source = await readable(request.body);
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const limit = pLimit(concurrentUploadParts);
  const sendPart = async (index: number): Promise<CompletedPart> => {
    stop.throwIfAborted();
    const Body = await source.read(index * length, Math.min(length, size - index * length));
    const part = new UploadPartCommand({ ...request.target, UploadId, PartNumber: index + 1, Body });
    const sent = await s3.retried('part', () => client.send(part, { abortSignal: stop }), stop);
    return {
      PartNumber: index + 1,
      ETag: sent.ETag,
      ...(sent.ChecksumCRC32 === undefined ? {} : { ChecksumCRC32: sent.ChecksumCRC32 }),
    };
  };
  const parts = Array.from({ length: Math.ceil(size / length) }, (_, index) => limit(() => sendPart(index)));
  try {
    return await Promise.all(parts);
  } catch (error) {
    failed.abort(error);
    throw error;
  } finally {
    // Wait for all reads before closing the file.
    await Promise.allSettled(parts);
    await source.close();
  }
}

interface ReadableBody {
  read(start: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

async function readable(body: Body): Promise<ReadableBody> {
  if ('bytes' in body) {
    const { bytes } = body;
    return {
      read: async (start, length) => bytes.subarray(start, start + length),
      close: async () => undefined,
    };
  }
  const file = await open(body.file, 'r');
  return {
    async read(start, length) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start);
      if (bytesRead !== length) throw new Error(`${body.file} became shorter while it was uploaded`);
      return buffer;
    },
    close: () => file.close(),
  };
}

function described({ contentType, metadata, encryption }: UploadRequest) {
  return {
    ContentType: contentType,
    Metadata: { ...metadata },
    ...encryptionMembers(encryption),
  };
}

function conditional(condition: WriteCondition) {
  return 'ifMatch' in condition ? { IfMatch: condition.ifMatch } : { IfNoneMatch: '*' };
}

function aborted(signal?: AbortSignal) {
  return signal === undefined ? {} : { abortSignal: signal };
}
