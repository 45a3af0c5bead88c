/**
 * A lake below a prefix of an S3 bucket. Needs s3:ListBucket on the bucket; s3:GetObject, s3:PutObject and
 * s3:AbortMultipartUpload below the prefix; kms:GenerateDataKey and kms:Decrypt where a key encrypts it.
 * Nothing is ever deleted.
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
import { LakeError, ScratchError } from '../../shared/errors.ts';
import { scratchProblem } from './file-errors.ts';
import { checkedKey, isInternal, maximumKeyBytes } from './key.ts';
import type { S3Attempt } from './s3-advice.ts';
import { connectS3, type S3ClientOptions, type S3Connection } from './s3-client.ts';
import { explained, isConflict, isMissing, isTransient, statusOf } from './s3-errors.ts';
import { upload } from './s3-upload.ts';
import type { PutOutcome, PutRequest, Store, StoredObject } from './store.ts';

export interface S3StoreOptions extends S3ClientOptions, Partial<Encryption> {
  /** '' or ends with `/`. */
  readonly prefix: string;
  /** Bodies larger than this go up in parts; default 16 MiB, at least 5 MiB. */
  readonly multipartBytes?: number;
}

/** Metadata of every object: whose write it is. Hyphens, for proxies drop headers with underscores. */
const writeIdName = 'write-id';
const sha256Name = 'sha256';

/** A write whose answer is not waited for any more: so long may it take to learn what became of it. */
const lastLookMs = 1_500;

/** Nothing is asked of S3 yet. */
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

  async download(key: string, file: string, signal?: AbortSignal): Promise<StoredObject | null> {
    return await this.#get(
      key,
      async (body) => {
        const target = await open(file, 'w', 0o600).catch((error) => {
          throw scratchProblem('written', file, error);
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
    return found === null ? null : { ...found, bytes };
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
      const multipartBytes = this.#multipartBytes(request.inParts);
      const sent = { target, body, condition, contentType, metadata, encryption, multipartBytes, onDecisive };
      const { etag, size } = await upload(this.#s3, sent, signal);
      const known = etag ?? (await this.#ownWrite(key, writeId, signal))?.etag;
      return known === undefined ? { written: false } : { written: true, etag: known, size };
    } catch (error) {
      if (signal?.aborted && !maybeThere) throw signal.reason;
      if (!signal?.aborted && !isConflict(error) && !isTransient(error)) {
        throw explained(error, this.#attempt('written', key));
      }
      // An answer that was lost on its way makes the second try meet our own object.
      const own = await this.#lastLook(key, writeId, signal).catch((refused) => {
        // Where S3 had no time for the write, that is what went wrong, whatever it says about the look.
        throw isConflict(error) ? refused : explained(error, this.#attempt('written', key));
      });
      if (own !== null) return { written: true, ...own };
      if (signal?.aborted) throw signal.reason;
      if (isConflict(error)) return { written: false };
      throw explained(error, this.#attempt('written', key));
    }
  }

  #multipartBytes(inParts: boolean | undefined): number {
    if (inParts === undefined) return this.#options.multipartBytes ?? 16 * 1024 * 1024;
    return inParts ? 0 : Number.POSITIVE_INFINITY;
  }

  async *list(
    prefix: string,
    options: { readonly folders?: boolean } = {},
    signal?: AbortSignal,
  ): AsyncGenerator<string> {
    const pages = followPageTokens(
      (token) => this.#listPage(prefix, options.folders === true, token, signal),
      (page) => (page.IsTruncated ? page.NextContinuationToken : null),
    );
    try {
      for await (const page of pages) {
        const names = options.folders
          ? (page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix)
          : (page.Contents ?? []).map(({ Key }) => Key);
        for (const name of names) {
          const key = name?.slice(this.#prefix.length);
          // Consoles make objects that end in a slash to show folders; they hold nothing.
          if (key === undefined || isInternal(key) || (!options.folders && (key === '' || key.endsWith('/'))))
            continue;
          yield key;
        }
      }
    } catch (error) {
      if (!(error instanceof RepeatedPageToken)) throw error;
      throw new LakeError(
        `Listing ${this.url}/${prefix} does not end: the store repeats a continuation token`,
        'The S3-compatible server has a defect: update it, or use another store.',
      );
    }
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
      throw explained(error, this.#attempt('listed', prefix));
    }
  }

  lastSeen(): Witness | null {
    const seen = this.#s3.clock.readings().at(-1);
    // A store at an endpoint of somebody's own is none of AWS's witnesses.
    return seen === undefined ? null : { ...seen, who: `the store of ${this.url}`, isAws: this.#s3.isAws() };
  }

  async close(): Promise<void> {
    this.#s3.close();
  }

  #target(key: string): { Bucket: string; Key: string; ExpectedBucketOwner?: string } {
    const { bucket, expectedBucketOwner } = this.#options;
    const Key = this.#prefix + checkedKey(key);
    if (Buffer.byteLength(Key) > maximumKeyBytes) {
      throw new LakeError(`The key ${Key} is longer than S3 allows`, 'Choose a shorter prefix in --lake.');
    }
    return {
      Bucket: bucket,
      Key,
      ...(expectedBucketOwner === null ? {} : { ExpectedBucketOwner: expectedBucketOwner }),
    };
  }

  #attempt(done: S3Attempt['done'], key: string): S3Attempt {
    const { bucket, expectedBucketOwner } = this.#options;
    const { kmsKeyId } = this.#encryption;
    return { done, url: `s3://${bucket}/${this.#prefix}${key}`, bucket, kmsKeyId, expectedBucketOwner };
  }

  /** A body that breaks off, or is not what was written, is asked for again, from its beginning. */
  async #get(
    key: string,
    consume: (body: AsyncIterable<Uint8Array>) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<StoredObject | null> {
    const target = this.#target(key);
    try {
      return await this.#s3.retried('get', () => this.#getOnce(target, consume, signal), signal);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (isMissing(error)) return null;
      if (error instanceof ScratchError) throw error;
      throw explained(error, this.#attempt('read', key));
    }
  }

  async #getOnce(
    target: { Bucket: string; Key: string; ExpectedBucketOwner?: string },
    consume: (body: AsyncIterable<Uint8Array>) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<StoredObject> {
    const options = signal === undefined ? {} : { abortSignal: signal };
    const client = await this.#s3.client();
    const { Body, ETag, ContentLength, Metadata } = await client.send(new GetObjectCommand(target), options);
    const hash = createHash('sha256');
    let size = 0;
    // In Node the SDK's body is a stream of byte chunks (@smithy/types, SdkStreamMixin over IncomingMessage).
    const chunks = (Body ?? Readable.from([])) as Readable;
    // A body may break off before anybody reads it, while its file is opened. Its reader gets the error all the same;
    // as an event without a listener it would end the program.
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
    if (promised !== undefined && promised !== hash.digest('hex')) {
      throw new LakeError(
        `s3://${target.Bucket}/${target.Key} does not hold what was written there: its SHA-256 differs`,
        'Restore an earlier version of the object, and find out who changed it.',
      );
    }
    return { etag: ETag, size };
  }

  /** As #ownWrite. A caller that stops cannot stop this, only shorten it: what was written has to be known. */
  async #lastLook(key: string, writeId: string, signal?: AbortSignal): Promise<StoredObject | null> {
    try {
      signal?.throwIfAborted();
      return await this.#ownWrite(key, writeId, signal);
    } catch (error) {
      if (!signal?.aborted) throw error;
      return await this.#ownWrite(key, writeId, AbortSignal.timeout(lastLookMs)).catch(() => null);
    }
  }

  /** The object, when it is the one that this write made. */
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
      // A HEAD has no body to say more in; whatever it means, it is not our object.
      if (statusOf(error) === 404) return null;
      throw explained(error, this.#attempt('read', key));
    }
  }
}

async function writeTo(target: FileHandle, chunk: Uint8Array, file: string): Promise<void> {
  await target.writeFile(chunk).catch((error) => {
    throw scratchProblem('written', file, error);
  });
}
