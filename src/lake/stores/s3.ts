/**
 * A lake below a prefix of an S3 bucket. Needs s3:ListBucket on the bucket; s3:GetObject, s3:PutObject and
 * s3:AbortMultipartUpload below the prefix; and, if a KMS key encrypts it, kms:GenerateDataKey and kms:Decrypt. Never
 * deletes anything.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3';
import { followPageTokens, RepeatedPageToken } from '../../aws/page-tokens.ts';
import type { Witness } from '../../aws/time-witnesses.ts';
import type { Encryption } from '../../config/encryption.ts';
import { AlteredObjectError, LakeError, ScratchError } from '../../shared/errors.ts';
import { scratchError } from './file-errors.ts';
import { checkedKey, isInternal, maximumKeyBytes } from './key.ts';
import type { S3Attempt } from './s3-advice.ts';
import { connectS3, type S3ClientOptions, type S3Connection } from './s3-client.ts';
import { isConflict, isMissing, isTransient, s3Error, statusOf } from './s3-errors.ts';
import { upload } from './s3-upload.ts';
import type { DownloadedObject, ObjectHead, PutOutcome, PutRequest, Store, StoredObject } from './store.ts';

export interface S3StoreOptions extends S3ClientOptions, Partial<Encryption> {
  /** '' or ends with `/`. */
  readonly prefix: string;
  /** For messages: the option that names the location. Default: --lake. */
  readonly option?: string;
  /** Larger bodies use a multipart upload; default 16 MiB, at least 5 MiB. */
  readonly multipartBytes?: number;
}

/** In the metadata of every object: which write created it. With a hyphen, because some proxies drop headers with underscores. */
const writeIdName = 'write-id';
const sha256Name = 'sha256';

/** If the caller gives up during a write, how long to wait for the result of that write. */
const lastLookMs = 1_500;

/** Sends no request to S3 yet. */
export function openS3Store(options: S3StoreOptions): Store {
  return new S3Store(options, connectS3(options));
}

class S3Store implements Store {
  readonly url: string;
  readonly #options: S3StoreOptions;
  readonly #s3: S3Connection;
  readonly #prefix: string;
  readonly #encryption: Encryption;

  constructor(options: S3StoreOptions, s3: S3Connection) {
    this.#options = options;
    this.#s3 = s3;
    const { sse = null, kmsKeyId = null, bucketKeyEnabled = null } = options;
    this.#encryption = { sse, kmsKeyId, bucketKeyEnabled };
    this.#prefix =
      options.prefix === '' || options.prefix.endsWith('/') ? options.prefix : `${options.prefix}/`;
    this.url = `s3://${options.bucket}/${this.#prefix}`.replace(/\/$/, '');
  }

  async download(key: string, file: string, signal?: AbortSignal): Promise<DownloadedObject | null> {
    return await this.#get(
      key,
      async (body) => {
        const target = await open(file, 'w', 0o600).catch((error) => {
          throw scratchError('written', file, error);
        });
        try {
          for await (const chunk of body) await writeTo(target, chunk, file);
        } finally {
          await target.close();
        }
      },
      signal,
    );
  }

  async read(
    key: string,
    signal?: AbortSignal,
  ): Promise<(StoredObject & { readonly bytes: Uint8Array }) | null> {
    let bytes: Uint8Array = new Uint8Array();
    const found = await this.#get(
      key,
      async (body) => {
        const chunks: Uint8Array[] = [];
        for await (const chunk of body) chunks.push(chunk);
        bytes = Buffer.concat(chunks);
      },
      signal,
    );
    return found === null ? null : { etag: found.etag, size: found.size, bytes };
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectHead | null> {
    const options = signal === undefined ? {} : { abortSignal: signal };
    const command = new HeadObjectCommand(this.#target(key));
    const head = async () => (await this.#s3.client()).send(command, options);
    try {
      const { ETag, ContentLength, Metadata } = await this.#s3.retried('head', head, signal);
      return { size: ContentLength ?? 0, etag: ETag ?? null, metadata: Metadata ?? {}, file: null };
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (statusOf(error) === 404) return null;
      throw s3Error(error, this.#attempt('read', key));
    }
  }

  async put(request: PutRequest, signal?: AbortSignal): Promise<PutOutcome> {
    const { key, body, condition, contentType, writeId } = request;
    const target = this.#target(key);
    let maybeThere = false;
    const onDecisive = () => {
      maybeThere = true;
    };
    try {
      signal?.throwIfAborted();
      const metadata = { ...request.metadata, [writeIdName]: writeId };
      const encryption = this.#encryption;
      const multipartBytes = this.#multipartBytes(request.multipart);
      const sent = { target, body, condition, contentType, metadata, encryption, multipartBytes, onDecisive };
      const { etag, size } = await upload(this.#s3, sent, signal);
      const known = etag ?? (await this.#ownWrite(key, writeId, signal))?.etag;
      return known === undefined ? { written: false } : { written: true, etag: known, size };
    } catch (error) {
      if (signal?.aborted && !maybeThere) throw signal.reason;
      if (!signal?.aborted && !isConflict(error) && !isTransient(error)) {
        throw s3Error(error, this.#attempt('written', key));
      }
      // If the response to the first attempt was lost, the second attempt conflicts with our own object.
      const own = await this.#lastLook(key, writeId, signal).catch((refused) => {
        // If S3 was too busy for the write, that is the cause, whatever the second request returns.
        throw isConflict(error) ? refused : s3Error(error, this.#attempt('written', key));
      });
      if (own !== null) return { written: true, ...own };
      if (signal?.aborted) throw signal.reason;
      if (isConflict(error)) return { written: false };
      throw s3Error(error, this.#attempt('written', key));
    }
  }

  #multipartBytes(multipart: boolean | undefined): number {
    if (multipart === undefined) return this.#options.multipartBytes ?? 16 * 1024 * 1024;
    return multipart ? 0 : Number.POSITIVE_INFINITY;
  }

  async *list(
    prefix: string,
    options: { readonly folders?: boolean } = {},
    signal?: AbortSignal,
  ): AsyncGenerator<string> {
    const pages = followPageTokens(
      (token) => this.#listPage(prefix, options.folders === true, token, signal),
      (page) => this.#nextToken(page, prefix),
    );
    try {
      for await (const page of pages) {
        const names = options.folders
          ? (page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix)
          : (page.Contents ?? []).map(({ Key }) => Key);
        for (const name of names) {
          const key = name?.slice(this.#prefix.length);
          // Consoles create empty objects that end in a slash to show folders.
          if (key === undefined || isInternal(key) || (!options.folders && (key === '' || key.endsWith('/'))))
            continue;
          yield key;
        }
      }
    } catch (error) {
      if (!(error instanceof RepeatedPageToken)) throw error;
      throw new LakeError(
        `Listing ${this.url}/${prefix} does not end: the store repeats a continuation token`,
        'The S3-compatible server has a bug. Update it, or use another store.',
      );
    }
  }

  /** A list that breaks off would look like objects that are gone. */
  #nextToken({ IsTruncated, NextContinuationToken: token }: ListObjectsV2CommandOutput, prefix: string) {
    if (IsTruncated !== true) return null;
    if (token !== undefined && token !== '') return token;
    throw new LakeError(
      `Listing ${this.url}/${prefix} breaks off: the store says that there is more, and gives no continuation token`,
      'The S3-compatible server has a bug. Update it, or use another store.',
    );
  }

  async #listPage(
    prefix: string,
    folders: boolean,
    token: string | null,
    signal?: AbortSignal,
  ): Promise<ListObjectsV2CommandOutput> {
    const command = new ListObjectsV2Command({
      ...this.#target('x'),
      Prefix: this.#prefix + prefix,
      ...(folders ? { Delimiter: '/' } : {}),
      ...(token === null ? {} : { ContinuationToken: token }),
    });
    try {
      return await this.#s3.retried(
        'list',
        async () =>
          (await this.#s3.client()).send(command, signal === undefined ? {} : { abortSignal: signal }),
        signal,
      );
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw s3Error(error, this.#attempt('listed', prefix));
    }
  }

  lastSeen(): Witness | null {
    const seen = this.#s3.clock.readings().at(-1);
    // A store at a custom endpoint is not one of AWS's witnesses.
    return seen === undefined ? null : { ...seen, who: `the store of ${this.url}`, isAws: this.#s3.isAws() };
  }

  async close(): Promise<void> {
    this.#s3.close();
  }

  #target(key: string): { Bucket: string; Key: string; ExpectedBucketOwner?: string } {
    const { bucket, expectedBucketOwner } = this.#options;
    const Key = this.#prefix + checkedKey(key);
    if (Buffer.byteLength(Key) > maximumKeyBytes) {
      throw new LakeError(`The key ${Key} is longer than S3 allows`, 'Use a shorter prefix in --lake.');
    }
    return {
      Bucket: bucket,
      Key,
      ...(expectedBucketOwner === null ? {} : { ExpectedBucketOwner: expectedBucketOwner }),
    };
  }

  #attempt(done: S3Attempt['done'], key: string): S3Attempt {
    const { bucket, expectedBucketOwner, option = '--lake' } = this.#options;
    const { kmsKeyId } = this.#encryption;
    const url = `s3://${bucket}/${this.#prefix}${key}`;
    return { done, url, bucket, kmsKeyId, expectedBucketOwner, option };
  }

  /** If a body breaks off, or differs from what was written, it is requested again from its beginning. */
  async #get(
    key: string,
    consume: (body: AsyncIterable<Uint8Array>) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<DownloadedObject | null> {
    const target = this.#target(key);
    try {
      return await this.#s3.retried('get', () => this.#getOnce(target, consume, signal), signal);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (isMissing(error)) return null;
      if (error instanceof ScratchError) throw error;
      throw s3Error(error, this.#attempt('read', key));
    }
  }

  async #getOnce(
    target: { Bucket: string; Key: string; ExpectedBucketOwner?: string },
    consume: (body: AsyncIterable<Uint8Array>) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<DownloadedObject> {
    const options = signal === undefined ? {} : { abortSignal: signal };
    const client = await this.#s3.client();
    const { Body, ETag, ContentLength, Metadata } = await client.send(new GetObjectCommand(target), options);
    const hash = createHash('sha256');
    let size = 0;
    // In Node the SDK's body is a stream of byte chunks (@smithy/types, SdkStreamMixin over IncomingMessage).
    const chunks = (Body ?? Readable.from([])) as Readable;
    // A body can break off before anybody reads it, while its file is being opened. The reader still gets the error, but
    // without a listener the event would end the program.
    chunks.on('error', () => undefined);
    const breakOff = () => chunks.destroy(new Error('aborted'));
    if (ETag === undefined) {
      breakOff();
      throw new Error('the store gave no ETag');
    }
    signal?.addEventListener('abort', breakOff, { once: true });
    async function* counted() {
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    }
    try {
      await consume(counted());
    } finally {
      signal?.removeEventListener('abort', breakOff);
    }
    if (ContentLength !== undefined && size !== ContentLength) {
      throw Object.assign(new Error(`${size} of ${ContentLength} bytes came`), { code: 'IncompleteBody' });
    }
    const promised = Metadata?.[sha256Name];
    const sha256 = hash.digest('hex');
    if (promised !== undefined && promised !== sha256) {
      throw new AlteredObjectError(
        `s3://${target.Bucket}/${target.Key} is not what the program wrote: its SHA-256 differs`,
        'Restore an earlier version of the object, and find out who changed it.',
        ETag,
      );
    }
    return { etag: ETag, size, sha256 };
  }

  /** Like #ownWrite. An aborted signal only shortens it, because the program must know whether the object was written. */
  async #lastLook(key: string, writeId: string, signal?: AbortSignal): Promise<StoredObject | null> {
    try {
      signal?.throwIfAborted();
      return await this.#ownWrite(key, writeId, signal);
    } catch (error) {
      if (!signal?.aborted) throw error;
      return await this.#ownWrite(key, writeId, AbortSignal.timeout(lastLookMs)).catch(() => null);
    }
  }

  /** The object, if this write created it. */
  async #ownWrite(key: string, writeId: string, signal?: AbortSignal): Promise<StoredObject | null> {
    const options = signal === undefined ? {} : { abortSignal: signal };
    const head = async () =>
      (await this.#s3.client()).send(new HeadObjectCommand(this.#target(key)), options);
    try {
      const { ETag, ContentLength, Metadata } = await this.#s3.retried('head', head, signal);
      if (Metadata?.[writeIdName] !== writeId || ETag === undefined) return null;
      return { etag: ETag, size: ContentLength ?? 0 };
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      // The response to a HEAD has no body that says more. In any case the object is not ours.
      if (statusOf(error) === 404) return null;
      throw s3Error(error, this.#attempt('read', key));
    }
  }
}

async function writeTo(target: FileHandle, chunk: Uint8Array, file: string): Promise<void> {
  await target.writeFile(chunk).catch((error) => {
    throw scratchError('written', file, error);
  });
}
