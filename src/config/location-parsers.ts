/** Parses locations: a folder or a file on this machine, or a prefix on S3. */
import { resolve } from 'node:path';
import { InvalidValue } from './invalid-value.ts';
import type { LakeLocation, SigningKeyLocation } from './typed-values.ts';

/** The absolute path of a folder. */
export function folder(word: string, cwd: string): string {
  return path(word, cwd, 'folder', 'Write a path such as ./folder.');
}

/** The absolute path of a file. */
export function file(word: string, cwd: string): string {
  return path(word, cwd, 'file', 'Write a path such as ./file.');
}

/** Forms of KMS key ids: docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id */
const kmsKey =
  /^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)\/\S+|alias\/[\w/-]+|(mrk-)?[0-9a-f-]{32,36})$/;

/** A KMS key by ARN, alias or id; anything else is the path of a file. A mistyped ARN never becomes a path. */
export function signingKey(word: string, cwd: string): SigningKeyLocation {
  if (kmsKey.test(word)) return { kind: 'kms', id: word };
  if (word.startsWith('arn:')) {
    throw new InvalidValue(
      'is not the ARN of a KMS key',
      'Write arn:aws:kms:REGION:ACCOUNT:key/ID, or the path of a private key in PEM.',
    );
  }
  return {
    kind: 'file',
    file: path(word, cwd, 'file', 'Write the ARN of a KMS key, or a path such as ./key.pem.'),
  };
}

const lakeForms = 'Write s3://bucket/prefix, or a local folder such as ./lake.';

/** `s3://bucket/prefix`, or a local folder. A mistyped S3 location never becomes a local folder of that name. */
export function lake(word: string, cwd: string): LakeLocation {
  refuseQuotes(word);
  if (word.startsWith('s3://')) return s3Location(word);
  const onS3 = meantOnS3(word);
  if (onS3 !== null) {
    throw new InvalidValue(
      'is an S3 location, but not in the form s3://bucket/prefix',
      didYouMean(onS3, lakeForms),
    );
  }
  if (/^s3(?:$|[^\w.-])/i.test(word) || word.startsWith('//')) {
    throw new InvalidValue('looks like an S3 location, but is not a valid one', lakeForms);
  }
  return { kind: 'local', folder: path(word, cwd, 'folder', lakeForms) };
}

/** Bucket names: docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const bucketForm = /^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$/;

function s3Location(word: string): LakeLocation {
  const [bucket = '', ...segments] = word.slice('s3://'.length).replace(/\/+$/, '').split('/');
  if (!bucketForm.test(bucket) || bucket.includes('..')) {
    throw new InvalidValue(
      'has no valid bucket name',
      didYouMean(
        meantOnS3(word.slice('s3://'.length)) ?? place(word.slice('s3://'.length)),
        'Write s3://bucket/prefix; a bucket name has 3 to 63 lower-case letters, digits, dots and hyphens.',
      ),
    );
  }
  const prefix = segments.join('/');
  if (!isPlainPrefix(segments)) {
    throw new InvalidValue(
      'has an empty, relative or unprintable folder name in its prefix',
      didYouMean(
        segments.includes('') ? place(word.slice('s3://'.length)) : null,
        'Write s3://bucket/prefix with plain folder names and single slashes.',
      ),
    );
  }
  // S3 keys have at most 1024 bytes; the program adds fewer than 200 to the prefix.
  if (Buffer.byteLength(prefix) > 800) {
    throw new InvalidValue('has a prefix that is too long', 'Use a prefix of at most 800 bytes.');
  }
  return { kind: 's3', bucket, prefix };
}

/** Whether no folder is empty, relative or unprintable; a bucket without a prefix is fine. */
function isPlainPrefix(segments: readonly string[]): boolean {
  const prefix = segments.join('/');
  if (/(?=\p{ASCII})\p{Cc}/u.test(prefix)) return false;
  return prefix === '' || !segments.some((one) => ['', '.', '..'].includes(one));
}

function path(word: string, cwd: string, what: 'folder' | 'file', advice: string): string {
  refuseQuotes(word);
  if (/(?=\p{ASCII})\p{Cc}/u.test(word)) {
    throw new InvalidValue('contains a control character', advice);
  }
  if (word.startsWith('~')) {
    throw new InvalidValue(
      'begins with ~, which only a shell expands',
      `Write the full path of the ${what}, or use $HOME in a shell.`,
    );
  }
  if (/^\$|\$\{|\$\(/.test(word)) {
    throw new InvalidValue(
      'contains a variable that no shell has expanded',
      `Write the full path of the ${what}, or let a shell expand it.`,
    );
  }
  const local = /^file:\/*(\/.*)$/i.exec(word)?.[1];
  if (local !== undefined) throw new InvalidValue('is a URL of a local file', didYouMean(local, advice));
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(word)?.[1];
  const isDrive = process.platform === 'win32' && scheme?.length === 1;
  if (scheme !== undefined && !isDrive) {
    throw new InvalidValue(
      `begins with ${word.startsWith(`${scheme}://`) ? `${scheme}://` : `${scheme}:`}, so it is not a local ${what}`,
      advice,
    );
  }
  return resolve(cwd, word);
}

/** An env file or a YAML list keeps quotation marks that a shell would have removed. */
function refuseQuotes(word: string): void {
  if (!/^["'`]|["'`]$/.test(word)) return;
  throw new InvalidValue(
    'begins or ends with a quotation mark, which only a shell removes',
    `Write ${word.replace(/^["'`]+|["'`]+$/g, '')} without quotation marks.`,
  );
}

/** The `s3://` form of an S3 location written as an ARN, URL or similar; null if it is not one. It may still be invalid. */
function meantOnS3(word: string): string | null {
  // arn:aws:s3:::bucket/prefix; arn:aws:s3:region:account:accesspoint/name names no bucket.
  const [, resource] = /^arn:[a-z0-9-]+:s3[a-z-]*:[^:]*:[^:]*:(.+)$/i.exec(word) ?? [];
  if (resource !== undefined) return /^(accesspoint|outpost)\b/i.test(resource) ? '' : place(resource);
  // docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html: the bucket before the host, or in the path
  const [, host, rest = ''] =
    /^(?:https?:\/*)?([a-z0-9.-]*\.amazonaws\.com(?:\.cn)?)(?::\d+)?(?:\/(.*))?$/i.exec(word) ?? [];
  if (host !== undefined) {
    const [, bucket] = /^(.+)\.s3[.-]/i.exec(host) ?? [];
    if (bucket !== undefined) return place(`${bucket}/${rest}`);
    return /^s3[.-]/i.test(host) ? place(rest) : '';
  }
  const [, shown] = /console\.aws\.amazon\.com\/s3\/buckets\/([^/?]+)/i.exec(word) ?? [];
  if (shown !== undefined) {
    const prefix = URL.canParse(word) ? (new URL(word).searchParams.get('prefix') ?? '') : '';
    return place(`${shown}/${prefix}`);
  }
  const [, key] = /^s3[an]?(?:[:;/\\\s\uff1a]+)(.+)$/i.exec(word) ?? [];
  return key === undefined || (/^s3[an]/i.test(word) && !word.includes(':')) ? null : place(key);
}

function place(key: string): string {
  return `s3://${key
    .replace(/^[/\\]+/, '')
    .replace(/[/\\]+/g, '/')
    .replace(/\/$/, '')}`;
}

/** Adds "Did you mean …?" to the advice if the suggested location is a valid one. */
function didYouMean(meant: string | null, otherwise: string): string {
  if (meant === null || meant === '') return otherwise;
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]*)\/?(.*)$/s.exec(meant) ?? [];
  const isTaken = bucket === undefined || (bucketForm.test(bucket) && isPlainPrefix(prefix.split('/')));
  return isTaken ? `Did you mean ${meant}? ${otherwise}` : otherwise;
}
