/**
 * The versions of a bucket. A person's rights: s3:ListBucketVersions and s3:GetBucketVersioning on the bucket,
 * s3:GetObjectVersion below the prefix; to move foreign objects away, s3:DeleteObject. The job has none of them.
 */
import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  type ObjectVersion,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { type Encryption, encryptionMembers } from '../config/encryption.ts';
import type { S3Connection } from '../lake/stores/s3-client.ts';
import { codeOf, isConflict, isMissing, isOfOneObject, s3Error, statusOf } from '../lake/stores/s3-errors.ts';
import { LakeError } from '../shared/errors.ts';
import {
  type ContentSource,
  type FoundContent,
  type UnreadContent,
  unreadContent,
  type Wanted,
} from './sources.ts';

export interface Bucket {
  readonly s3: S3Connection;
  readonly bucket: string;
  /** '' or ends with `/`. */
  readonly prefix: string;
  readonly expectedBucketOwner: string | null;
  readonly encryption: Encryption;
}

export interface BucketVersions extends ContentSource {
  /** Null: there is no object. */
  etagOf(key: string, signal: AbortSignal): Promise<string | null>;
  /** Whether a deletion only hides an object, so that it can be undone. */
  keepsDeleted(signal: AbortSignal): Promise<boolean>;
  /**
   * Some stores take a delete marker for an object, and refuse to write on the condition that there is none: versitygw 1.8,
   * never AWS (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html). There, this writes without a
   * condition. False: it wrote nothing, because that is not the reason.
   */
  writeOverMarker(key: string, content: Omit<FoundContent, 'from'>, signal: AbortSignal): Promise<boolean>;
  /**
   * Puts a delete marker on the object
   * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html; that needs s3:GetObject too).
   * @param etag on this one only; null: on any
   * @returns false if another one is there
   */
  hide(key: string, etag: string | null, signal: AbortSignal): Promise<boolean>;
}

export function bucketVersions(of: Bucket): BucketVersions {
  const { s3, bucket, prefix, expectedBucketOwner } = of;
  const owner = expectedBucketOwner === null ? {} : { ExpectedBucketOwner: expectedBucketOwner };
  const asked = async <T>(
    done: 'read' | 'written',
    key: string,
    request: () => Promise<T>,
    signal: AbortSignal,
    versionId?: string,
  ): Promise<T> => {
    try {
      return await s3.retried(`versions of ${key}`, request, signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const url = `s3://${bucket}/${prefix}${key}`;
      const version = versionId === undefined ? {} : { versionId };
      throw s3Error(error, { done, url, bucket, kmsKeyId: null, expectedBucketOwner, ...version });
    }
  };

  /** Newest first, as S3 lists them: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html */
  async function listed(key: string, signal: AbortSignal): Promise<ObjectVersion[]> {
    const versions: ObjectVersion[] = [];
    let marker: { KeyMarker?: string; VersionIdMarker?: string } = {};
    for (;;) {
      const command = new ListObjectVersionsCommand({
        Bucket: bucket,
        Prefix: prefix + key,
        ...marker,
        ...owner,
      });
      const page = await asked(
        'read',
        key,
        async () => (await s3.client()).send(command, { abortSignal: signal }),
        signal,
      );
      const own = (page.Versions ?? []).filter(({ Key }) => Key === prefix + key);
      versions.push(...own);
      const { NextKeyMarker, NextVersionIdMarker, IsTruncated } = page;
      // Keys come in order, so those that follow are others that begin alike.
      const isOver = NextKeyMarker !== undefined && NextKeyMarker !== prefix + key;
      if (IsTruncated !== true || isOver) return versions;
      if (
        NextKeyMarker === undefined ||
        NextVersionIdMarker === undefined ||
        NextVersionIdMarker === marker.VersionIdMarker
      ) {
        throw new LakeError(
          `Listing the versions of s3://${bucket}/${prefix}${key} breaks off: the store says that there are more, and not where they begin`,
          'The S3-compatible server has a bug. Update it, or restore the object by hand (docs/recovery.md).',
        );
      }
      marker = { KeyMarker: NextKeyMarker, VersionIdMarker: NextVersionIdMarker };
    }
  }

  /** The SHA-256 that the program stored with a version; undefined: none, or S3 does not say. */
  async function notedHash(
    key: string,
    target: ConstructorParameters<typeof HeadObjectCommand>[0],
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const head = async () => {
      try {
        return await (await s3.client()).send(new HeadObjectCommand(target), { abortSignal: signal });
      } catch (error) {
        // A response to HEAD has no body, so only GET tells why.
        if (isOfOneObject(error)) return null;
        throw error;
      }
    };
    return (await asked('read', key, head, signal))?.Metadata?.sha256;
  }

  async function contentOf(
    wanted: Wanted,
    version: ObjectVersion,
    signal: AbortSignal,
  ): Promise<FoundContent | null> {
    const { key, sha256, accepts } = wanted;
    const { VersionId } = version;
    const target = {
      Bucket: bucket,
      Key: prefix + key,
      ...(VersionId === undefined ? {} : { VersionId }),
      ...owner,
    };
    const noted = sha256 === null ? undefined : await notedHash(key, target, signal);
    // What the program wrote names its hash; what somebody else wrote has to be read.
    if (noted !== undefined && noted !== sha256) return null;
    const read = async () => {
      try {
        const answer = await (await s3.client()).send(new GetObjectCommand(target), { abortSignal: signal });
        return { answer, bytes: (await answer.Body?.transformToByteArray()) ?? new Uint8Array() };
      } catch (error) {
        // A lifecycle rule may have deleted it since it was listed.
        if (isMissing(error) || codeOf(error) === 'NoSuchVersion') return null;
        throw error;
      }
    };
    const content = await asked('read', key, read, signal, VersionId);
    if (content === null || !accepts(content.bytes)) return null;
    const { answer, bytes } = content;
    return {
      bytes,
      from: nameOf(version),
      metadata: answer.Metadata ?? {},
      contentType: answer.ContentType ?? 'application/octet-stream',
    };
  }

  async function etagOf(key: string, signal: AbortSignal): Promise<string | null> {
    const command = new HeadObjectCommand({ Bucket: bucket, Key: prefix + key, ...owner });
    const head = async () => {
      try {
        return (await (await s3.client()).send(command, { abortSignal: signal })).ETag ?? null;
      } catch (error) {
        if (statusOf(error) === 404) return null;
        throw error;
      }
    };
    return await asked('read', key, head, signal);
  }

  return {
    etagOf,
    async find(wanted, signal) {
      const newestFirst = await listed(wanted.key, signal);
      const unread: UnreadContent[] = [];
      for (const version of wanted.oldestFirst ? newestFirst.reverse() : newestFirst) {
        try {
          const found = await contentOf(wanted, version, signal);
          if (found !== null) return { found, unread };
        } catch (error) {
          unread.push(unreadContent(nameOf(version), error));
        }
      }
      return { found: null, unread };
    },
    async keepsDeleted(signal) {
      const command = new GetBucketVersioningCommand({ Bucket: bucket, ...owner });
      const send = async () => (await s3.client()).send(command, { abortSignal: signal });
      return (await asked('read', '', send, signal)).Status === 'Enabled';
    },
    async writeOverMarker(key, { bytes, metadata, contentType }, signal) {
      if (s3.isAws() || (await etagOf(key, signal)) !== null) return false;
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: prefix + key,
        Body: bytes,
        Metadata: { ...metadata },
        ContentType: contentType,
        ...encryptionMembers(of.encryption),
        ...owner,
      });
      await asked(
        'written',
        key,
        async () => (await s3.client()).send(command, { abortSignal: signal }),
        signal,
      );
      return true;
    },
    async hide(key, etag, signal) {
      // The condition decides. This look comes first for stores that take no notice of it.
      if (etag !== null && (await etagOf(key, signal)) !== etag) return false;
      const target = { Bucket: bucket, Key: prefix + key, ...owner };
      const command = new DeleteObjectCommand(etag === null ? target : { ...target, IfMatch: etag });
      const send = async (): Promise<boolean> => {
        try {
          await (await s3.client()).send(command, { abortSignal: signal });
          return true;
        } catch (error) {
          if (etag === null) throw error;
          if (isConflict(error)) return false;
          // A store that knows no condition here. The look above has to do.
          if (statusOf(error) !== 501) throw error;
          await (await s3.client()).send(new DeleteObjectCommand(target), { abortSignal: signal });
          return true;
        }
      };
      // If the response to the first attempt was lost, the second one meets the delete marker of the first.
      return (await asked('written', key, send, signal)) || (await etagOf(key, signal)) === null;
    },
  };
}

/** For people. */
function nameOf({ VersionId, LastModified }: ObjectVersion): string {
  return `version ${VersionId} of ${LastModified?.toISOString()}`;
}
