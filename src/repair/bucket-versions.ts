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
import { isConflict, s3Error, statusOf } from '../lake/stores/s3-errors.ts';
import type { ContentSource, FoundContent, Wanted } from './sources.ts';

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
   * Puts a delete marker on the object.
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
  ): Promise<T> => {
    try {
      return await s3.retried(`versions of ${key}`, request, signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const url = `s3://${bucket}/${prefix}${key}`;
      throw s3Error(error, { done, url, bucket, kmsKeyId: null, expectedBucketOwner });
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
      if (IsTruncated !== true || NextKeyMarker !== prefix + key || NextVersionIdMarker === undefined)
        return versions;
      if (NextVersionIdMarker === marker.VersionIdMarker) return versions;
      marker = { KeyMarker: NextKeyMarker, VersionIdMarker: NextVersionIdMarker };
    }
  }

  async function contentOf(
    wanted: Wanted,
    { VersionId, LastModified }: ObjectVersion,
    signal: AbortSignal,
  ): Promise<FoundContent | null> {
    const { key, sha256, accepts } = wanted;
    const target = {
      Bucket: bucket,
      Key: prefix + key,
      ...(VersionId === undefined ? {} : { VersionId }),
      ...owner,
    };
    const send = async () => (await s3.client()).send(new HeadObjectCommand(target), { abortSignal: signal });
    const head = sha256 === null ? null : await asked('read', key, send, signal);
    const noted = head?.Metadata?.sha256;
    // What the program wrote names its hash; what somebody else wrote has to be read.
    if (noted !== undefined && noted !== sha256) return null;
    const read = async () => {
      const answer = await (await s3.client()).send(new GetObjectCommand(target), { abortSignal: signal });
      return { answer, bytes: (await answer.Body?.transformToByteArray()) ?? new Uint8Array() };
    };
    const { answer, bytes } = await asked('read', key, read, signal);
    if (!accepts(bytes)) return null;
    return {
      bytes,
      from: `version ${VersionId} of ${LastModified?.toISOString()}`,
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
      for (const version of wanted.oldestFirst ? newestFirst.reverse() : newestFirst) {
        const found = await contentOf(wanted, version, signal);
        if (found !== null) return found;
      }
      return null;
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
          if (etag !== null && isConflict(error)) return false;
          throw error;
        }
      };
      // If the response to the first attempt was lost, the second one meets the delete marker of the first.
      return (await asked('written', key, send, signal)) || (await etagOf(key, signal)) === null;
    },
  };
}
